/// The ordered versions of a data directory's formats. A directory is never downgraded silently.
public enum FormatVersion: UInt16, Comparable, CaseIterable, Sendable {
    /// What was written before the formats were settled. Its last form is version 1's; directories of
    /// earlier drafts are refused or found damaged.
    case draft = 0
    /// Frozen: every later program reads it. Fixtures/format-1 holds directories of it, written once and
    /// kept for ever. It stands for these versions of the files: log 0, table 2, blob 0, key registry 0,
    /// archived segment 0; docs/formats draws them. A change that an earlier program cannot read is a
    /// feature bit or a new version, never an edit of this one.
    case one = 1

    /// What this program writes.
    public static let newest = FormatVersion.one

    public static func < (a: FormatVersion, b: FormatVersion) -> Bool { a.rawValue < b.rawValue }
}

/// What a file asks of the program that opens it, as three sets of bits.
struct FeatureBits: Hashable, Sendable {
    /// Unknown bits here may be ignored.
    var compatible: UInt64 = 0
    /// Unknown bits here forbid reading.
    var readIncompatible: UInt64 = 0
    /// Unknown bits here forbid writing.
    var writeIncompatible: UInt64 = 0

    /// No features.
    init() {}

    /// Read-incompatible: the file, or of FORMAT others of the directory, may be encrypted.
    static let encryption: UInt64 = 1

    /// Every bit this program knows.
    static let known: FeatureBits = {
        var bits = FeatureBits()
        bits.readIncompatible = encryption
        return bits
    }()

    /// Throws `unsupported-format` when `path` needs a newer program.
    func check(
        version: UInt16, path: String, forWriting: Bool
    ) throws(StorageError) {
        func refuse(_ what: String) -> StorageError {
            StorageError(
                .unsupportedFormat, kind: .user,
                "The file was written by a newer FalconDB: \(what).",
                location: .init(path: path),
                hint: "Open it with the version that wrote it, or a later one.")
        }
        guard FormatVersion(rawValue: version) != nil else {
            throw refuse(
                "format version \(version), this program knows up to "
                    + "\(FormatVersion.newest.rawValue)")
        }
        let unreadable = readIncompatible & ~FeatureBits.known.readIncompatible
        if unreadable != 0 {
            throw refuse(
                "unknown features 0x\(String(unreadable, radix: 16)) are needed to read it")
        }
        let unwritable = writeIncompatible & ~FeatureBits.known.writeIncompatible
        if forWriting, unwritable != 0 {
            throw refuse(
                "unknown features 0x\(String(unwritable, radix: 16)) are needed to write it")
        }
    }

    func encode(into writer: inout ByteWriter) {
        writer.appendFixed(compatible)
        writer.appendFixed(readIncompatible)
        writer.appendFixed(writeIncompatible)
    }

    init?(_ reader: inout ByteReader) {
        guard let a = reader.readFixed(UInt64.self), let b = reader.readFixed(UInt64.self),
            let c = reader.readFixed(UInt64.self)
        else { return nil }
        compatible = a
        readIncompatible = b
        writeIncompatible = c
    }
}
