import FalconToolKit
import Testing

@testable import FalconStorage

/// A small repository with two base backups and the log behind them.
struct RepositoryExemplar: Sendable {
    let memory: MemoryFileSystem
    let isEncrypted: Bool
    /// What the database held after each commit.
    let states: [[String: String]]
    /// Oldest first.
    let backups: [BackupManifest]
    /// In the order of the log.
    let segments: [ArchivedSegment]

    private static let plain = made(isEncrypted: false, seed: 61)
    private static let sealed = made(isEncrypted: true, seed: 63)
    private static let stranger = made(isEncrypted: false, seed: 65)

    private static func made(
        isEncrypted: Bool, seed: UInt64
    ) -> Result<RepositoryExemplar, any Error> {
        Result { try RepositoryExemplar(isEncrypted: isEncrypted, seed: seed) }
    }

    static func shared(isEncrypted: Bool) throws -> RepositoryExemplar {
        try (isEncrypted ? sealed : plain).get()
    }

    /// Of another database.
    static func other() throws -> RepositoryExemplar { try stranger.get() }

    private init(isEncrypted: Bool, seed: UInt64) throws {
        self.isEncrypted = isEncrypted
        let history = try EngineHistory.archived(seed: seed, key: isEncrypted ? 7 : nil)
        for label in ["first", "second"] {
            try history.run(12, maintains: false)
            try history.engine.flush()
            try history.engine.backup(label: label)
            for _ in 0..<4 {
                try history.run(5, maintains: false)
                try history.engine.archiveNow()
            }
        }
        try history.close()
        states = history.commits.map(\.rows)
        memory = history.fileSystem.crashClone(.keepUnsynced)
        let inventory = try history.inventory
        backups = inventory.backups
        segments = inventory.segments.sorted { $0.firstLSN < $1.firstLSN }
        #expect(backups.count == 2 && segments.count >= 8)
    }
}

/// A copy of a ``RepositoryExemplar`` that is mutilated, and the tools that look at it.
final class DamagedRepository: DamagedFiles {
    let exemplar: RepositoryExemplar
    let memory: MemoryFileSystem
    let environment: StorageEnvironment
    let names = RepositoryNames(root: EngineHistory.repo)

    init(isEncrypted: Bool) throws {
        exemplar = try RepositoryExemplar.shared(isEncrypted: isEncrypted)
        memory = exemplar.memory.fork()
        environment = .damaged(memory)
    }

    // MARK: - Places

    var backup: BackupManifest {
        get throws { try #require(exemplar.backups.last) }
    }

    /// Behind the newest backup, and others lie behind it.
    var middle: ArchivedSegment {
        get throws { exemplar.segments[exemplar.segments.count - 3] }
    }

    var newest: ArchivedSegment {
        get throws { try #require(exemplar.segments.last) }
    }

    /// A data file of the newest backup.
    func file(isBlob: Bool) throws -> String {
        let found = try backup.files.first { ($0.kind == .blob) == isBlob }
        return names.file(try #require(found))
    }

    /// FORMAT, CURRENT, MANIFEST or KEYS of the newest backup.
    func meta(_ prefix: String) throws -> String {
        let found = try backup.metas.first { $0.name.hasPrefix(prefix) }
        return names.backup(try backup.id) + "/" + (try #require(found)).name
    }

    // MARK: - Mutilations

    /// Changes the footer of an archived segment, whose checksum fits again.
    func reseal(_ path: String, _ change: (inout ArchivedSegmentFooter) -> Void) throws {
        try rewrite(path) { footer, _ in change(&footer) }
    }

    /// Changes the index of an archived segment; its checksum and the footer's fit again.
    func reindex(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
        try rewrite(path) { _, index in change(&index) }
    }

    private func rewrite(
        _ path: String, _ change: (inout ArchivedSegmentFooter, inout [UInt8]) -> Void
    ) throws {
        let file = try memory.open(path, .read)
        var (footer, _) = try ArchivedSegmentFooter.read(file)
        try file.close()
        let count = footer.frameCount * ArchivedSegmentFooter.Frame.byteCount
        try patch(path) { bytes in
            let start = bytes.count - ArchivedSegmentFooter.byteCount - count
            var index = Array(bytes[start..<(start + count)])
            change(&footer, &index)
            bytes.replaceSubrange(start..., with: index + footer.encoded(index: index))
        }
    }

    /// Changes the text of the newest backup's manifest, whose checksum fits again.
    func rewrite(_ change: (inout String) -> Void) throws {
        try patch(names.manifest(try backup.id)) { bytes in
            var text = String(decoding: bytes.dropLast(21), as: UTF8.self)
            change(&text)
            let body = Array(text.utf8)
            let sum = body.withUnsafeBytes { Checksum.xxh3($0) }
            bytes = body + Array("sum \(FileNames.hex(sum))\n".utf8)
        }
    }

    /// Changes the value of one of its lines.
    func rewrite(line name: String, _ value: String) throws {
        try rewrite { text in
            let lines = text.split(separator: "\n").map { line in
                line.hasPrefix(name + " ") ? name + " " + value : String(line)
            }
            text = lines.joined(separator: "\n") + "\n"
        }
    }

    // MARK: - Tools

    /// What `pitr-restore verify` says; it is given no key, and changes nothing.
    func verify() throws -> DamageReport {
        try report(PITRRestore.self, ["verify", "--repo", EngineHistory.repo])
    }

    /// Restores the latest state into `/new`.
    func apply() -> ToolRun {
        let key = exemplar.isEncrypted ? ["--key-file", "/key"] : []
        return ToolRun(
            PITRRestore.self,
            ["apply", "--repo", EngineHistory.repo, "--out", "/new", "--to-latest"] + key,
            environment: environment)
    }

    /// What `/new` holds.
    func restored() throws -> [String: String] {
        try environment.rows(
            at: "/new",
            exemplar.isEncrypted
                ? EncryptionOptions(masterKey: .key([UInt8](repeating: 7, count: 32))) : nil)
    }
}
