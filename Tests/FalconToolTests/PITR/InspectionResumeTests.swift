import FalconToolKit
import Foundation
import Synchronization
import Testing

@testable import FalconStorage

/// Advances and promotions that are killed, or interrupted, and are tried again.
struct InspectionResumeTests {
    private static let start = 25

    /// An inspection of a history whose rest is still to come: two incarnations of it.
    private func history() throws -> EngineHistory {
        let history = try EngineHistory(seed: 60)
        try history.run(40)
        try history.reopen()
        try history.run(10)
        try history.close()
        #expect(history.inspect(history.commits[Self.start], from: "/db").exit == .clean)
        return history
    }

    private func run(_ arguments: [String], _ environment: StorageEnvironment) -> ToolRun {
        ToolRun(PITRRestore.self, ["advance", "/new"] + arguments, environment: environment)
    }

    private func environment(
        _ fileSystem: any FileSystem, _ history: EngineHistory, _ seed: Int
    ) -> StorageEnvironment {
        StorageEnvironment(
            fileSystem: fileSystem, clock: history.clock, random: SeededRandom(seed: UInt64(seed)))
    }

    /// The directory is what it was, or what it was to be, or says that it is neither; the same command then ends it.
    private func judge(
        _ left: MemoryFileSystem, _ history: EngineHistory, _ arguments: [String], _ what: String
    ) throws {
        let environment = environment(left, history, 77)
        let wanted = try #require(history.commits.last).rows
        let old = history.commits[Self.start].rows
        let marker = try RestoreInspection.read(root: "/new", left)
        if let marker, marker.state != .ready {
            for isReadOnly in [false, true] {
                var options = EngineOptions()
                options.isReadOnly = isReadOnly
                #expect(throws: StorageError.self, "\(what)") {
                    try StorageEngine.open(at: "/new", options: options, environment: environment)
                }
            }
            let inspected = ToolRun(WALInspect.self, ["/new"], environment: environment)
            #expect(inspected.output.contains("The inspection is"), "\(what): \(inspected.output)")
        } else {
            let rows = try rows(at: "/new", environment)
            #expect(rows == old || rows == wanted, "\(what)")
        }
        if marker != nil {
            let again = run(arguments, environment)
            #expect(again.exit == .clean, "\(what): \(again.output)")
        }
        #expect(try rows(at: "/new", environment) == wanted, "\(what)")
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

    /// From one call on nothing can be written, the taking back neither: as after a kill.
    @Test(arguments: [["--to-latest"], ["--to-latest", "--promote"]])
    func aKillAtAnyCallIsMended(_ arguments: [String]) throws {
        let history = try history()
        let pristine = history.fileSystem.fork()
        var index = 0
        while true {
            let memory = pristine.fork()
            let files = FaultInjectingFileSystem(
                memory,
                rule: FaultRule(
                    .mutating, pathContains: "/new", index: index, count: .max, errno: EIO))
            let killed = run(arguments, environment(files, history, index))
            if files.injectedCount == 0 {
                #expect(killed.exit == .clean, "\(killed.output)")
                break
            }
            let what = "\(arguments), call \(index)"
            try judge(memory.fork(), history, arguments, "kill at " + what)
            try judge(
                memory.crashClone(.dropUnsynced, seed: UInt64(index)), history, arguments,
                "power cut at " + what)
            index += 1
        }
        #expect(index > 10)
    }

    /// One call fails, and the taking back does not.
    @Test func aFailureLeavesItAsItWas() throws {
        let history = try history()
        let pristine = history.fileSystem.fork()
        var index = 0
        while true {
            let memory = pristine.fork()
            let files = FaultInjectingFileSystem(
                memory,
                rule: FaultRule(
                    .operation(.write), pathContains: "/new", index: index, count: 1, errno: ENOSPC)
            )
            let failed = run(["--to-latest"], environment(files, history, index))
            if files.injectedCount == 0 { break }
            let what = "write \(index): \(failed.output)"
            let environment = environment(memory, history, 5)
            let marker = try #require(try RestoreInspection.read(root: "/new", memory))
            #expect(marker.state == .ready, "\(what)")
            let commit = failed.exit == .clean ? history.commits.last : history.commits[Self.start]
            #expect(try rows(at: "/new", environment) == commit?.rows, "\(what)")
            #expect(run(["--to-latest"], environment).exit == .clean, "\(what)")
            #expect(try rows(at: "/new", environment) == history.commits.last?.rows, "\(what)")
            index += 1
        }
        #expect(index > 2)
    }

    @Test func anInterruptionLeavesItAsItWas() throws {
        let history = try history()
        let pristine = history.fileSystem.fork()
        var interrupted = 0
        for patience in 0..<200 {
            let memory = pristine.fork()
            let environment = environment(memory, history, patience)
            let left = Patience(patience)
            let run = ToolRun(
                PITRRestore.self, ["advance", "/new", "--to-latest"], environment: environment,
                interruption: { left.isOver })
            let marker = try #require(try RestoreInspection.read(root: "/new", memory))
            #expect(marker.state == .ready, "\(run.output)")
            let rows = try rows(at: "/new", environment)
            if run.exit == .clean {
                #expect(rows == history.commits.last?.rows)
                break
            }
            #expect(run.exit == .interrupted, "\(run.output)")
            // The end may have been reached when somebody looked for the last time.
            #expect(rows == history.commits[Self.start].rows || rows == history.commits.last?.rows)
            interrupted += 1
        }
        #expect(interrupted > 1)
    }

    /// What was begun is not taken back, and is gone on with.
    @Test func anInterruptedPromotionIsGoneOnWith() throws {
        let history = try history()
        let pristine = history.fileSystem.fork()
        var states: Set<RestoreInspection.State> = []
        for patience in 0..<200 {
            let memory = pristine.fork()
            let environment = environment(memory, history, patience)
            let left = Patience(patience)
            let ended = ToolRun(
                PITRRestore.self, ["advance", "/new", "--promote"], environment: environment,
                interruption: { left.isOver })
            if ended.exit == .clean { break }
            #expect(ended.exit == .interrupted, "\(ended.output)")
            if let marker = try RestoreInspection.read(root: "/new", memory) {
                states.insert(marker.state)
                let again = run(["--promote"], environment)
                #expect(again.exit == .clean, "\(again.output)")
            }
            #expect(try rows(at: "/new", environment) == history.commits[Self.start].rows)
        }
        #expect(states.contains(.ready) && states.contains(.promoting), "\(states)")
    }

    /// Is over after so many questions.
    private final class Patience: Sendable {
        private let left: Mutex<Int>
        init(_ count: Int) { left = Mutex(count) }
        var isOver: Bool {
            left.withLock {
                $0 -= 1
                return $0 < 0
            }
        }
    }

    @Test func aPromotionThatHasBegunIsNotAdvanced() throws {
        let history = try history()
        let files = FaultInjectingFileSystem(
            history.fileSystem,
            rule: FaultRule(
                .operation(.remove), pathContains: FileNames.inspectionMarkerName, index: 0,
                count: .max, errno: EIO))
        let killed = run(["--promote"], environment(files, history, 1))
        #expect(killed.exit == .io, "\(killed.output)")
        let marker = try #require(try RestoreInspection.read(root: "/new", history.fileSystem))
        #expect(marker.state == .promoting)
        let advanced = history.advance("--to-latest")
        #expect(advanced.exit == .usage, "\(advanced.output)")
        #expect(advanced.output.contains("--promote"), "\(advanced.output)")
        #expect(history.advance("--promote").exit == .clean)
        #expect(try history.rows(at: "/new") == history.commits[Self.start].rows)
        try history.write("new", "born")
    }
}
