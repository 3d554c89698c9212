import FalconStorage

print(LSN(1))
