import FalconToolKit

FalconBench.start()
