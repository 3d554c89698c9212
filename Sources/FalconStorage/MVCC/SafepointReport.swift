/// Why old versions are kept: who holds the safepoint and since when.
public struct SafepointReport: Sendable {
    /// What holds the safepoint back.
    public enum Holder: Sendable, Equatable {
        /// Nobody: it follows the newest commit.
        case none
        /// The oldest snapshot, by the name its owner gave it.
        case snapshot(owner: String)
        /// ``EngineOptions/versionRetentionMicros``.
        case retention
    }
    /// Versions shadowed at it may die; all newer ones stay.
    public var timestamp: Timestamp
    /// What holds it there.
    public var holder: Holder
    /// How far it is behind the newest commit.
    public var lagMicros: UInt64
    /// Snapshots held.
    public var snapshots: Int
}
