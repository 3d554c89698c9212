import FalconToolKit

/// The program `falconctl`: the commands of FalconToolKit over libpq.
public enum ControlProgram {
    /// Runs it to its exit code.
    public static func start() -> Never { FalconCtl.start(LibPQConnector()) }
}
