import FalconToolKit

ToolRunner.main(WALInspect.self)
