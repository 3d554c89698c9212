import FalconToolKit

ToolRunner.main(CDCTail.self)
