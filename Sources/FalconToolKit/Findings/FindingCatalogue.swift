import FalconStorage

/// Every kind of finding of every tool: what `explain` knows. One file per family.
public enum FindingCatalogue {
    public static let all: [FindingKind] = common + wal + sst + cdc + pitr + bench + control

    /// The kind of that code, in any case.
    public static func kind(_ code: String) -> FindingKind? {
        let code = code.uppercased()
        return all.first { $0.code == code }
    }
}
