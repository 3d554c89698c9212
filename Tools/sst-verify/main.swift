import FalconToolKit

ToolRunner.main(SSTVerify.self)
