import FalconToolKit
import Testing

@testable import FalconStorage

/// What a killed backup leaves, and labels of before they were checked.
struct BackupLeftoverTests {
    private static let partial = "/repo/backups/20260101T000000Z-0a0a0a0a.partial"
    private static let copy = "/repo/files/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a.tmp"

    private func history() throws -> EngineHistory {
        let history = try EngineHistory.archived(seed: 80)
        try history.run(10)
        try history.engine.backup(label: "first")
        try history.fileSystem.createDirectory(Self.partial)
        try history.fileSystem.replace(
            Self.partial + "/FORMAT", with: [UInt8](repeating: 1, count: 100))
        try history.fileSystem.replace(Self.copy, with: [UInt8](repeating: 1, count: 1000))
        return history
    }

    @Test func theNextBackupClearsIt() throws {
        let history = try history()
        let info = history.tool("info", "--repo", "/repo")
        #expect(info.exit == .clean, "\(info.output)")
        #expect(info.output.contains("PITR010"), "\(info.output)")
        #expect(info.output.contains("takes 100 bytes") && info.output.contains("takes 1000 bytes"))
        // A segment that is being archived is its server's.
        let segment = try #require(try history.inventory.segments.first).path + ".tmp"
        try history.fileSystem.replace(segment, with: [1])
        try history.engine.backup(label: "second")
        #expect(try !history.fileSystem.exists(Self.partial))
        #expect(try !history.fileSystem.exists(Self.copy))
        #expect(try history.fileSystem.exists(segment))
        #expect(try history.inventory.backups.map(\.label).sorted() == ["first", "second"])
        try history.close()
        #expect(history.tool("verify", "--repo", "/repo").exit == .clean)
    }

    /// Whoever makes a backup or removes some holds the repository's lock, and what is unfinished may be theirs.
    @Test func anothersIsNotTouched() throws {
        let history = try history()
        let repository = try Repository.open("/repo", history.fileSystem)
        let lock = try history.fileSystem.lock(repository.names.lock)
        do {
            try history.engine.backup(label: "second")
            Issue.record("the backup was made")
        } catch {
            #expect(error.code == .inUse)
        }
        #expect(try history.fileSystem.exists(Self.partial + "/FORMAT"))
        #expect(try history.fileSystem.exists(Self.copy))
        lock.release()
        try history.engine.backup(label: "second")
        #expect(try !history.fileSystem.exists(Self.partial))
        try history.close()
    }

    @Test func anOldLabelIsShownInOneLine() throws {
        let history = try history()
        try history.close()
        var manifest = try #require(try history.inventory.backups.first)
        manifest.label = "a\nbase backup:   b\u{1b}[2J\u{85}é"
        let names = try Repository.open("/repo", history.fileSystem).names
        try history.fileSystem.replace(names.manifest(manifest.id), with: manifest.encoded())
        let info = history.tool("info", "--repo", "/repo")
        #expect(
            info.output.contains(#"'a\nbase backup:   b\u{1B}[2J\u{0085}é', LSN"#),
            "\(info.output)")
        #expect(info.lines.count { $0.hasPrefix("base backup:") } == 1)
    }

    @Test func aLabelOfOtherLettersIsShownAsItIs() {
        for label in ["", "nightly full", "é 日本 🐘", #"it's a \n"#] {
            #expect(BackupManifest.shown(label) == label)
        }
    }
}
