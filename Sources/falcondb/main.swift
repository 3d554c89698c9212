import FalconServer

ServerCommand.main()
