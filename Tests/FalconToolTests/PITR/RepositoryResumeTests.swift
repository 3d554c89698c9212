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

    /// From one call on nothing can be written, the clearing up neither: as after a kill.
    private func killing(_ base: any FileSystem, at index: Int) -> FaultInjectingFileSystem {
        FaultInjectingFileSystem(
            base,
            rule: FaultRule(.mutating, pathContains: "/new", index: index, count: .max, errno: EIO))
    }

    private func environment(
        _ fileSystem: any FileSystem, _ history: EngineHistory, _ seed: Int
    ) -> StorageEnvironment {
        StorageEnvironment(
            fileSystem: fileSystem, clock: history.clock, random: SeededRandom(seed: UInt64(seed)))
    }

    /// What a killed restore left is in pieces, and is refused and replaced; or it is whole, and is left alone.
    private func judge(_ left: MemoryFileSystem, _ history: EngineHistory, _ what: String) throws {
        let environment = environment(left, history, 77)
        let isMarked = try left.exists("/new.partial/" + RestoreExecutor.marker)
        let isEmpty = try !left.exists("/new.partial") || left.list("/new.partial").isEmpty
        if isMarked {
            for isReadOnly in [false, true] {
                var options = EngineOptions()
                options.isReadOnly = isReadOnly
                #expect {
                    try StorageEngine.open(
                        at: "/new.partial", options: options, environment: environment)
                } throws: {
                    ($0 as? StorageError)?.location?.path.hasSuffix(RestoreExecutor.marker) ?? false
                }
            }
            if try left.exists("/new.partial/FORMAT") {
                let inspected = ToolRun(WALInspect.self, ["/new.partial"], environment: environment)
                #expect(
                    inspected.output.contains("a restore that is not finished"),
                    "\(what): \(inspected.output)")
            }
        }
        let isWhole = try !isMarked && !isEmpty && !left.exists("/new")
        let before = left.snapshotContents()
        let again = apply(environment)
        if isWhole {
            #expect(again.exit == .usage, "\(what): \(again.output)")
            #expect(again.output.contains("mv '/new.partial' '/new'"), "\(what): \(again.output)")
            #expect(left.snapshotContents() == before, "\(what)")
            try left.rename("/new.partial", to: "/new")
        } else if again.exit == .usage {
            // Only the last sync comes behind the new name.
            #expect(again.output.contains("not empty"), "\(what): \(again.output)")
        } else {
            #expect(again.exit == .clean, "\(what): \(again.output)")
        }
        #expect(try !left.exists("/new.partial"), "\(what)")
        #expect(try environment.rows(at: "/new") == history.commits.last?.rows, "\(what)")
    }

    @Test func aRestoreThatIsKilledAtAnyCallIsTriedAgain() throws {
        let history = try history()
        let pristine = history.fileSystem.fork()
        var index = 0
        while true {
            let memory = pristine.fork()
            let files = killing(memory, at: index)
            let killed = apply(environment(files, history, index))
            if files.injectedCount == 0 {
                #expect(killed.exit == .clean)
                break
            }
            #expect(killed.exit == .io, "call \(index): \(killed.output)")
            try judge(
                memory.crashClone(.dropUnsynced, seed: UInt64(index)), history,
                "power cut at call \(index)")
            try judge(memory.fork(), history, "kill at call \(index)")
            index += 1
        }
        #expect(index > 10)
    }

    /// Kills, some calls after the restore's marker is gone.
    private final class KillBehindMarker: WrappingFileSystem {
        let base: any FileSystem
        private let faulty: FaultInjectingFileSystem
        private let calls: Int

        init(_ base: any FileSystem, calls: Int) {
            faulty = FaultInjectingFileSystem(base)
            self.base = faulty
            self.calls = calls
        }

        func remove(_ path: String) throws(StorageError) {
            try base.remove(path)
            guard path.hasSuffix(RestoreExecutor.marker) else { return }
            faulty.setRule(
                FaultRule(.mutating, pathContains: "/new", index: calls, count: .max, errno: EIO))
        }
    }

    @Test func aKillBetweenTheMarkersEndAndTheNameLeavesAWholeDirectory() throws {
        let history = try history()
        let pristine = history.fileSystem.fork()
        // The sync of the directory, and the rename.
        for calls in 0..<2 {
            let memory = pristine.fork()
            let killed = apply(environment(KillBehindMarker(memory, calls: calls), history, 1))
            #expect(killed.exit == .io, "\(killed.output)")
            let left = memory.fork()
            #expect(try !left.exists("/new"))
            #expect(try !left.exists("/new.partial/" + RestoreExecutor.marker))
            #expect(
                try environment(left.fork(), history, 2).rows(at: "/new.partial")
                    == history.commits.last?.rows)
            try judge(left, history, "kill \(calls) calls behind the marker")
        }
    }

    /// A restore that fails, and is killed while it clears up, leaves nothing that looks whole and is not.
    @Test func aKillWhileClearingUpLeavesNoHalfThatLooksWhole() throws {
        let history = try history()
        let pristine = history.fileSystem.fork()
        func rule(_ operation: FileOperation, from index: Int, _ count: Int) -> FaultRule {
            FaultRule(
                .operation(operation), pathContains: "/new.partial", index: index, count: count,
                errno: EIO)
        }
        let counting = FaultInjectingFileSystem(pristine.fork(), rule: rule(.rename, from: .max, 1))
        #expect(apply(environment(counting, history, 1)).exit == .clean)
        #expect(counting.matchedCount > 1)
        var marked = 0
        // The last rename is that to the new name, when the marker is gone.
        for failing in 0..<counting.matchedCount {
            var removes = 0
            while true {
                let memory = pristine.fork()
                let killed = FaultInjectingFileSystem(
                    memory, rule: rule(.remove, from: removes, .max))
                let files = FaultInjectingFileSystem(killed, rule: rule(.rename, from: failing, 1))
                _ = apply(environment(files, history, 1))
                let left = memory.fork()
                let what = "rename \(failing) fails, killed at remove \(removes)"
                if try left.exists("/new.partial/" + RestoreExecutor.marker) { marked += 1 }
                try judge(left, history, what)
                try judge(memory.crashClone(.reorder, seed: 1), history, what + ", power cut")
                if killed.injectedCount == 0 { break }
                removes += 1
            }
        }
        #expect(marked > 10)
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
        #expect(try history.rows(at: "/new") == history.commits.last?.rows)
    }

    /// What the replay of a killed try made of the log is no table of the next one's.
    @Test func whatAKilledReplayMadeIsRemoved() throws {
        let history = try history()
        let memory = history.fileSystem
        try memory.createDirectory("/new.partial")
        try memory.createDirectory("/new.partial/sst")
        try memory.open("/new.partial/" + RestoreExecutor.marker, .create).close()
        let names = FileNames(root: "/new.partial")
        let left = [names.table(FileNumber(0xFFFF)), names.blob(FileNumber(0xFFFE))]
        for path in left { try memory.replace(path, with: [1, 2, 3]) }
        let run = apply(history.environment)
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try history.rows(at: "/new") == history.commits.last?.rows)
        for path in left {
            #expect(try !memory.exists("/new/sst/" + VFSPath.name(of: path)), "\(path)")
        }
        let verified = ToolRun(SSTVerify.self, ["/new"], environment: history.environment)
        #expect(verified.exit == .clean, "\(verified.output)")
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
}
