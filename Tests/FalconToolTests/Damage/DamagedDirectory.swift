import FalconToolKit
import Testing

@testable import FalconStorage

/// A copy of a ``DamageSource`` that is mutilated, and the tools that look at it.
final class DamagedDirectory: DamagedFiles {
    let source: DamageSource
    let memory: MemoryFileSystem
    let environment: StorageEnvironment
    var isEncrypted: Bool { source.isEncrypted }
    var names: FileNames { FileNames(root: DamageSource.root) }

    init(isEncrypted: Bool) throws {
        source = try DamageSource.shared(isEncrypted: isEncrypted)
        memory = source.memory.fork()
        environment = .damaged(memory)
    }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Of the sound directory: what is mutilated is made with them.
    func keys() throws -> FileKeys? {
        let sound = StorageEnvironment(
            fileSystem: source.memory, clock: ManualClock(), random: SystemRandom())
        return try DamageSource.keyed(sound).fileSystem.keys
    }

    // MARK: - Mutilations of whole files

    /// Puts a file of another database in the place of this one's.
    func substitute(_ path: String, _ other: (DamageSource) -> String) throws {
        let stranger = try DamageSource.other(isEncrypted: isEncrypted)
        try memory.replace(path, with: try stranger.memory.contents(of: other(stranger)))
    }

    func table(_ path: String, _ body: (inout TableForge) throws -> Void) throws {
        var forge = try TableForge(path, memory, keys())
        try body(&forge)
        try patch(path) { $0 = forge.bytes }
    }

    func blob(_ path: String, _ body: (inout BlobForge) throws -> Void) throws {
        var forge = try BlobForge(path, memory, keys())
        try body(&forge)
        try patch(path) { $0 = forge.bytes }
    }

    func manifest(_ body: (inout ManifestForge) throws -> Void) throws {
        var forge = try ManifestForge(names, memory, keys())
        try body(&forge)
        try patch(forge.path) { $0 = forge.bytes }
    }

    // MARK: - Tools

    private func arguments(hasKey: Bool) -> [String] {
        hasKey && isEncrypted ? ["--key-file", DamageSource.keyFile] : []
    }

    /// What sst-verify says of it.
    func verify(hasKey: Bool = true) throws -> DamageReport {
        try report(SSTVerify.self, [DamageSource.root] + arguments(hasKey: hasKey))
    }

    /// What wal-inspect says of it.
    func inspect() throws -> DamageReport {
        try report(WALInspect.self, [DamageSource.root] + arguments(hasKey: true))
    }

    /// Salvages it into `/saved`.
    func salvage() -> ToolRun {
        let before = contents()
        let run = ToolRun(
            SSTVerify.self,
            [
                DamageSource.root, "--salvage", "--out", "/saved", "--format", "jsonl", "--keys",
                "hex",
            ]
                + arguments(hasKey: true), environment: environment)
        #expect(contents() == before, "the directory was written to")
        return run
    }

    private func contents() -> [String: [UInt8]] {
        memory.snapshotContents().filter { $0.key.hasPrefix("db/") }
    }

    /// What `/saved` holds, by key in hex.
    func saved() throws -> [String: [UInt8]] { try rows(of: "/saved") }

    /// What the engine reads in a directory, by key in hex.
    func rows(of root: String) throws -> [String: [UInt8]] {
        var options = DamageSource.options(isEncrypted: isEncrypted)
        options.isReadOnly = true
        let engine = try StorageEngine.open(
            at: root, options: options, environment: environment)
        defer { try? engine.close() }
        var found: [String: [UInt8]] = [:]
        let cursor = try engine.makeIterator(.all, at: engine.publishedTimestamp)
        try cursor.seekToFirst()
        while cursor.isValid {
            found[Self.hex(cursor.key)] = Array(cursor.value)
            try cursor.next()
        }
        return found
    }
}
