import FalconTestKit
import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// The archiver: what it does when the repository is slow, full, gone, or when it is killed.
struct LogArchiverTests {
    /// A history whose file system fails as told; the log's own directory never does.
    private final class Fixture {
        let memory = MemoryFileSystem()
        let files: FaultInjectingFileSystem
        let clock = ManualClock()
        let environment: StorageEnvironment
        let events = EventLog()
        var options = EngineOptions()
        private(set) var rows: [String: String] = [:]

        init(_ change: (inout ArchiveOptions) -> Void = { _ in }) {
            files = FaultInjectingFileSystem(memory)
            environment = StorageEnvironment(
                fileSystem: files, clock: clock, random: SeededRandom(seed: 5))
            var archive = ArchiveOptions(directory: "/repo")
            archive.timeoutMicros = 0
            change(&archive)
            options.archive = archive
            options.walSegmentBytes = 64 << 10
            options.memtableBytes = 64 << 10
            options.walRetainBytes = 0
            options.eventListener = events
        }

        func open() throws -> StorageEngine {
            try StorageEngine.open(at: "/db", options: options, environment: environment)
        }

        func put(_ engine: StorageEngine, _ range: Range<Int>, bytes: Int = 100) throws {
            for number in range {
                let batch = WriteBatch()
                let value = "\(number)-" + String(repeating: "v", count: bytes)
                try batch.put("k\(number % 50)", value)
                rows["k\(number % 50)"] = value
                clock.advance(micros: 1000)
                try engine.commitAndWait(batch)
            }
        }

        func restored(_ arguments: String...) throws -> (exit: ToolExit, output: String, rows: Int)
        {
            let run = ToolRun(
                PITRRestore.self,
                ["apply", "--repo", "/repo", "--out", "/new", "--to-latest"] + arguments,
                environment: environment)
            guard run.exit == .clean else { return (run.exit, run.output, 0) }
            defer { try? memory.removeTree("/new") }
            let found = try environment.rows(at: "/new")
            #expect(found == rows)
            return (run.exit, run.output, found.count)
        }
    }

    private final class EventLog: EngineEventListener, @unchecked Sendable {
        private let monitor = Monitor()
        private var names: [String] = []
        var all: [String] { monitor.locked { names } }
        func engine(at path: String, did event: EngineEvent) {
            let name: String? =
                switch event {
                case .archiveFailed: "failed"
                case .archiveResumed: "resumed"
                case .archiveLost: "lost"
                default: nil
                }
            if let name { monitor.locked { names.append(name) } }
        }
    }

    @Test func endedSegmentsStayUntilTheyAreArchived() throws {
        let fixture = Fixture()
        let engine = try fixture.open()
        fixture.files.setRule(
            FaultRule(.mutating, pathContains: "/repo/log", index: 0, count: .max, errno: EIO))
        try fixture.put(engine, 0..<2000)
        try engine.flush()
        #expect(throws: StorageError.self) { try engine.archiveNow() }
        let status = try #require(engine.archiveStatus())
        guard case .failing = status.state else {
            Issue.record("\(status.state)")
            return
        }
        // The log was flushed, and nothing of it is gone.
        #expect(try fixture.memory.exists(FileNames(root: "/db").walSegment(WALSegmentNumber(1))))
        #expect(status.pendingSegments >= 3 && status.failures > 0)
        fixture.files.setRule(nil)
        try engine.archiveNow()
        #expect(engine.archiveStatus()?.state == .active)
        #expect(engine.archiveStatus()?.pendingBytes == 0)
        #expect(fixture.events.all == ["failed", "resumed"])
        try engine.close()
        #expect(try !fixture.memory.exists(FileNames(root: "/db").walSegment(WALSegmentNumber(1))))
    }

    @Test func anArchiveThatFallsBehindIsGivenUpAndBegunAnew() throws {
        let fixture = Fixture { $0.maximumPendingBytes = 256 << 10 }
        let engine = try fixture.open()
        try fixture.put(engine, 0..<100)
        try engine.backup(label: "first")
        fixture.files.setRule(
            FaultRule(.mutating, pathContains: "/repo/log", index: 0, count: .max, errno: ENOSPC))
        // Commits go on whatever the repository does.
        try fixture.put(engine, 100..<6000)
        try engine.flush()
        #expect(throws: StorageError.self) { try engine.archiveNow() }
        let lost = try #require(engine.archiveStatus())
        guard case .lost = lost.state else {
            Issue.record("\(lost.state)")
            return
        }
        #expect(lost.summary.hasPrefix("lost since "))
        try eventually { fixture.events.all.contains("lost") }
        #expect(try !fixture.memory.exists(FileNames(root: "/db").walSegment(WALSegmentNumber(1))))
        fixture.files.setRule(nil)
        // Lost it stays, whatever the repository does now, and over a restart.
        #expect(throws: StorageError.self) { try engine.archiveNow() }
        try engine.close()
        let again = try fixture.open()
        #expect(throws: StorageError.self) { try again.archiveNow() }
        guard case .lost = again.archiveStatus()?.state else {
            Issue.record("\(String(describing: again.archiveStatus()))")
            return
        }
        try again.backup(label: "second")
        #expect(again.archiveStatus()?.state == .active)
        try fixture.put(again, 6000..<6100)
        try again.archiveNow()
        try again.close()
        #expect(try fixture.restored().exit == .clean)
    }

    @Test func aCommitIsArchivedAfterTheTimeout() throws {
        let fixture = Fixture { $0.timeoutMicros = 5_000_000 }
        let engine = try fixture.open()
        try fixture.put(engine, 0..<3)
        let committed = try engine.currentLSN()
        // The archiver has to have seen the commit before the time passes.
        try eventually {
            fixture.clock.advance(micros: 1_000_000)
            return (engine.archiveStatus()?.lastLSN ?? .zero) >= committed
        }
        let count = try #require(engine.archiveStatus()).archivedSegments
        // Without a commit nothing more is archived.
        let segment = try engine.writable().wal.currentSegment
        for _ in 0..<20 { fixture.clock.advance(micros: 5_000_000) }
        #expect(try engine.writable().wal.currentSegment == segment)
        #expect(engine.archiveStatus()?.archivedSegments == count)
        try engine.close()
    }

    /// Every mutating call on the repository fails once, as on a full disk: the next try makes good for it.
    @Test func aFullRepositoryAtAnyCallLosesNothing() throws {
        for index in 0..<400 {
            let fixture = Fixture()
            let engine = try fixture.open()
            try fixture.put(engine, 0..<20)
            fixture.files.setRule(
                FaultRule(.mutating, pathContains: "/repo", index: index, errno: ENOSPC))
            _ = try? engine.backup(label: "full")
            try fixture.put(engine, 20..<40)
            _ = try? engine.archiveNow()
            let wasHit = fixture.files.injectedCount > 0
            fixture.files.setRule(nil)
            if try engine.backups().isEmpty { try engine.backup(label: "again") }
            try engine.archiveNow()
            try engine.close()
            #expect(try fixture.restored().exit == .clean, "call \(index)")
            let verify = ToolRun(
                PITRRestore.self, ["verify", "--repo", "/repo"], environment: fixture.environment)
            #expect(verify.exit == .clean, "call \(index): \(verify.output)")
            if !wasHit { return }
        }
        Issue.record("the calls did not end")
    }

    /// A machine that stops at any call on the repository, losing what was not synced.
    @Test func aCrashAtAnyCallLosesNothing() throws {
        for index in 0..<400 {
            let fixture = Fixture()
            let engine = try fixture.open()
            try fixture.put(engine, 0..<20)
            try engine.backup(label: "before")
            try fixture.put(engine, 20..<40)
            fixture.files.setRule(
                FaultRule(.mutating, pathContains: "/repo", index: index, count: .max, errno: EIO))
            _ = try? engine.archiveNow()
            _ = try? engine.backup(label: "while")
            let wasHit = fixture.files.injectedCount > 0
            let crashed = fixture.memory.crashClone(.dropUnsynced, seed: UInt64(index))
            try? engine.close()
            let environment = StorageEnvironment(
                fileSystem: crashed, clock: fixture.clock, random: SeededRandom(seed: 6))
            let again = try StorageEngine.open(
                at: "/db", options: fixture.options, environment: environment)
            try again.archiveNow()
            try again.backup(label: "after")
            try again.close()
            let verify = ToolRun(
                PITRRestore.self, ["verify", "--repo", "/repo"], environment: environment)
            #expect(verify.exit == .clean, "call \(index): \(verify.output)")
            let run = ToolRun(
                PITRRestore.self,
                ["apply", "--repo", "/repo", "--out", "/new", "--to-latest"],
                environment: environment)
            #expect(run.exit == .clean, "call \(index): \(run.output)")
            #expect(run.output.contains("read back:     \(fixture.rows.count) keys"))
            if !wasHit { return }
        }
        Issue.record("the calls did not end")
    }

    @Test func anotherDatabasesRepositoryIsRefused() throws {
        let fixture = Fixture()
        try fixture.open().close()
        #expect(throws: StorageError.self) {
            try StorageEngine.open(
                at: "/other", options: fixture.options, environment: fixture.environment)
        }
        try fixture.memory.createDirectory("/full")
        try fixture.memory.replace("/full/holiday.jpg", with: [1])
        fixture.options.archive = ArchiveOptions(directory: "/full")
        #expect(throws: StorageError.self) { try fixture.open() }
    }

    @Test func withoutAnArchiveThereIsNoBackup() throws {
        let fixture = Fixture()
        fixture.options.archive = nil
        let engine = try fixture.open()
        #expect(engine.archiveStatus() == nil)
        #expect(try engine.backups().isEmpty)
        #expect(throws: StorageError.self) { try engine.backup(label: "") }
        try fixture.put(engine, 0..<3)
        let end = try engine.switchLogSegment()
        #expect(try engine.switchLogSegment() == end)
        #expect(try engine.logSegmentName(at: end) != nil)
        try engine.close()
    }

    @Test func switchesUnderLoadLoseNothing() throws {
        let fixture = Fixture()
        let engine = try fixture.open()
        try engine.backup(label: "")
        let done = Monitor()
        nonisolated(unsafe) var isDone = false
        let switcher = Thread {
            while !done.locked({ isDone }) { _ = try? engine.switchLogSegment() }
        }
        switcher.start()
        try fixture.put(engine, 0..<3000)
        done.locked { isDone = true }
        try engine.archiveNow()
        try engine.close()
        #expect(try fixture.restored().exit == .clean)
    }
}
