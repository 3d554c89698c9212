import FalconToolKit

ToolRunner.main(PITRRestore.self)
