import FalconControl

ControlProgram.start()
