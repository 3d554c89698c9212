/// The outcome of checking one blob file.
public struct BlobVerification: Sendable {
    public var findings: [TableFinding] = []
    /// Findings beyond the limit, not kept.
    public var suppressedFindings = 0
    public var uid: UID?
    public var fileBytes: UInt64 = 0
    public var checkedRecords: UInt64 = 0
    /// Bytes of the values of those records, before compression.
    public var valueBytes: UInt64 = 0
    /// Without its key only what is clear of the records was checked.
    public var isEncrypted = false
    /// The check was ended before it was through.
    public var isPartial = false
    public var isClean: Bool { findings.isEmpty }
}
