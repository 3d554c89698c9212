/// The outcome of checking one blob file.
public struct BlobVerification: Sendable {
    /// What is wrong, in the order of the file; empty: nothing was found.
    public var findings: [TableFinding] = []
    /// Findings beyond the limit, not kept.
    public var suppressedFindings = 0
    /// As the file's header has it; nil when that cannot be read.
    public var uid: UID?
    /// Bytes of the file.
    public var fileBytes: UInt64 = 0
    /// Records that were read and found whole.
    public var checkedRecords: UInt64 = 0
    /// Bytes of the values of those records, before compression.
    public var valueBytes: UInt64 = 0
    /// Without its key only what is clear of the records was checked.
    public var isEncrypted = false
    /// The check was ended before it was through.
    public var isPartial = false
    /// Nothing is wrong.
    public var isClean: Bool { findings.isEmpty }
}
