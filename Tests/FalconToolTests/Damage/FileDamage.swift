import FalconToolKit
import Testing

@testable import FalconStorage

/// One line of a table of damages: what is done to a data directory, and what sst-verify must say.
struct FileDamage: CustomTestStringConvertible, Sendable {
    /// What is told of an encrypted directory without its key.
    enum WithoutKey: Sendable {
        /// The same code and exit code.
        case same
        /// That the key is missing, and no more.
        case nothing
        case this(String?, ToolExit)
    }

    /// What a salvage makes of it.
    enum Salvage: Sendable {
        /// A directory in which every row is as it last was; the others are told of.
        case rows
        /// None, and it says why.
        case refused
        /// What MANIFEST says is taken for true, although it is not: not asked.
        case notAsked
    }

    let name: String
    /// A finding's code; nil for none.
    let code: String?
    let exit: ToolExit
    /// What the report must contain besides.
    var says: [String] = []
    /// Codes of findings that may stand beside it; no others may.
    var also: Set<String> = []
    var withoutKey = WithoutKey.same
    var salvage = Salvage.rows
    /// Of directories that are encrypted, or are not; nil: of both.
    var onlyEncrypted: Bool?
    let mutilate: @Sendable (DamagedDirectory) throws -> Void

    var testDescription: String { name }

    func applies(isEncrypted: Bool) -> Bool { onlyEncrypted.map { $0 == isEncrypted } ?? true }

    /// Of the table that is uncompressed, with an index of one level, a range tombstone and large values.
    static func table(
        _ name: String, _ code: String?, says: [String] = [], also: Set<String> = [],
        withoutKey: WithoutKey = .same, onlyEncrypted: Bool? = nil, salvage: Salvage = .rows,
        _ mutilate: @escaping @Sendable (inout TableForge) throws -> Void
    ) -> FileDamage {
        FileDamage(
            name: name, code: code, exit: .corruption, says: says, also: also.union(["SST011"]),
            withoutKey: withoutKey, salvage: salvage, onlyEncrypted: onlyEncrypted
        ) { try $0.table($0.source.middle, mutilate) }
    }

    /// Of the table that is compressed with a dictionary, and whose index and filter are in partitions.
    static func bottom(
        _ name: String, _ code: String?, says: [String] = [], also: Set<String> = [],
        withoutKey: WithoutKey = .same,
        _ mutilate: @escaping @Sendable (inout TableForge) throws -> Void
    ) -> FileDamage {
        FileDamage(
            name: name, code: code, exit: .corruption, says: says, also: also.union(["SST011"]),
            withoutKey: withoutKey
        ) { try $0.table($0.source.bottom, mutilate) }
    }

    /// Of the newest blob file; what tables refer to in it may be lost.
    static func blob(
        _ name: String, _ code: String?, says: [String] = [], also: Set<String> = [],
        withoutKey: WithoutKey = .same, onlyEncrypted: Bool? = nil, salvage: Salvage = .rows,
        _ mutilate: @escaping @Sendable (inout BlobForge) throws -> Void
    ) -> FileDamage {
        FileDamage(
            name: name, code: code, exit: .corruption, says: says,
            also: also.union(["BLB005", "BLB007"]), withoutKey: withoutKey, salvage: salvage,
            onlyEncrypted: onlyEncrypted
        ) { try $0.blob($0.source.newestBlob, mutilate) }
    }

    /// Of MANIFEST, after which nothing can be salvaged.
    static func manifest(
        _ name: String, _ code: String?, _ exit: ToolExit = .corruption, says: [String] = [],
        also: Set<String> = [], withoutKey: WithoutKey = .same, salvage: Salvage = .refused,
        onlyEncrypted: Bool? = nil,
        _ mutilate: @escaping @Sendable (inout ManifestForge) throws -> Void
    ) -> FileDamage {
        FileDamage(
            name: name, code: code, exit: exit, says: says, also: also, withoutKey: withoutKey,
            salvage: salvage, onlyEncrypted: onlyEncrypted
        ) { try $0.manifest(mutilate) }
    }

    /// Of files of the directory itself.
    static func file(
        _ name: String, _ code: String?, _ exit: ToolExit = .corruption, says: [String] = [],
        also: Set<String> = [], withoutKey: WithoutKey = .same, salvage: Salvage = .refused,
        onlyEncrypted: Bool? = nil,
        _ mutilate: @escaping @Sendable (DamagedDirectory) throws -> Void
    ) -> FileDamage {
        FileDamage(
            name: name, code: code, exit: exit, says: says, also: also, withoutKey: withoutKey,
            salvage: salvage, onlyEncrypted: onlyEncrypted, mutilate: mutilate)
    }
}
