import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// Restores that are killed, or meet a full disk, and are tried again.
struct RepositoryResumeTests {
    private func history() throws -> EngineHistory {
        let history = try EngineHistory.archived(seed: 40)
        try history.run(40)
        try history.engine.backup(label: "base")
        try history.run(20)
        try history.close()
        return history
    }

    private func apply(_ environment: StorageEnvironment) -> ToolRun {
        ToolRun(
            PITRRestore.self, ["apply", "--repo", "/repo", "--to-latest", "--out", "/new"],
            environment: environment)
    }

    @Test func aRestoreThatIsKilledAtAnyCallIsTriedAgain() throws {
        let history = try history()
        let pristine = history.fileSystem.fork()
        var index = 0
        while true {
            let memory = pristine.fork()
            // From one call on nothing can be written, the clearing up neither: as after a kill.
            let files = FaultInjectingFileSystem(
                memory,
                rule: FaultRule(
                    .mutating, pathContains: "/new", index: index, count: .max, errno: EIO))
            func environment(_ fileSystem: any FileSystem) -> StorageEnvironment {
                StorageEnvironment(
                    fileSystem: fileSystem, clock: history.clock,
                    random: SeededRandom(seed: UInt64(index)))
            }
            let killed = apply(environment(files))
            if files.injectedCount == 0 {
                #expect(killed.exit == .clean)
                break
            }
            #expect(killed.exit == .io, "call \(index): \(killed.output)")
            let left = memory.crashClone(.dropUnsynced, seed: UInt64(index))
            let again = apply(environment(left))
            // Only the last sync comes behind the new name.
            if again.exit == .usage, try left.exists("/new") {
                #expect(again.output.contains("not empty"))
            } else {
                #expect(again.exit == .clean, "call \(index): \(again.output)")
            }
            #expect(try rows(at: "/new", environment(left)) == history.commits.last?.rows)
            index += 1
        }
        #expect(index > 10)
    }

    @Test func tablesThatAreThereAreNotCopiedAgain() throws {
        let history = try history()
        let files = FaultInjectingFileSystem(
            history.fileSystem,
            rule: FaultRule(
                .mutating, pathContains: "/new.partial/wal", index: 0, count: .max, errno: EIO))
        let environment = StorageEnvironment(
            fileSystem: files, clock: history.clock, random: SeededRandom(seed: 1))
        // The copy of the tables was whole; the clearing up is kept from them, as by a kill.
        let memory = history.fileSystem
        let killed = apply(environment)
        #expect(killed.exit == .io)
        #expect(try !memory.exists("/new"))
        let backup = try #require(try history.inventory.backups.first)
        try memory.createDirectoryIfMissing("/new.partial")
        try memory.createDirectoryIfMissing("/new.partial/sst")
        try memory.open("/new.partial/" + RestoreExecutor.marker, .createIfMissing).close()
        let repository = try Repository.open("/repo", memory)
        for file in backup.files {
            let path = FileNames(root: "/new.partial").dataFile(file.kind, file.number)
            if try !memory.exists(path) {
                try memory.replace(path, with: memory.contents(of: repository.names.file(file)))
            }
        }
        // Reading a table of the repository fails: none is read.
        files.setRule(
            FaultRule(.reading, pathContains: "/repo/files", index: 0, count: .max, errno: EIO))
        let again = apply(environment)
        #expect(again.exit == .clean, "\(again.output)")
        #expect(try rows(at: "/new", history.environment) == history.commits.last?.rows)
    }

    @Test func aFullDiskLeavesNothing() throws {
        let history = try history()
        let files = FaultInjectingFileSystem(
            history.fileSystem,
            rule: FaultRule(
                .operation(.write), pathContains: "/new", index: 3, count: 1, errno: ENOSPC))
        let run = apply(
            StorageEnvironment(
                fileSystem: files, clock: history.clock, random: SeededRandom(seed: 1)))
        #expect(run.exit == .io, "\(run.output)")
        #expect(try !history.fileSystem.exists("/new"))
        #expect(try !history.fileSystem.exists("/new.partial"))
    }

    private func rows(
        at path: String, _ environment: StorageEnvironment
    ) throws -> [String: String] {
        var options = EngineOptions()
        options.isReadOnly = true
        let engine = try StorageEngine.open(at: path, options: options, environment: environment)
        defer { try? engine.close() }
        let cursor = try engine.makeIterator(.all, at: engine.publishedTimestamp)
        var found: [String: String] = [:]
        try cursor.seekToFirst()
        while cursor.isValid {
            found[String(decoding: cursor.key, as: UTF8.self)] = String(
                decoding: cursor.value, as: UTF8.self)
            try cursor.next()
        }
        return found
    }
}
