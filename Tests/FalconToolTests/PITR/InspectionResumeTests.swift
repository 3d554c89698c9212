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
            let rows = try environment.rows(at: "/new")
            #expect(rows == old || rows == wanted, "\(what)")
        }
        if marker != nil {
            let again = run(arguments, environment)
            #expect(again.exit == .clean, "\(what): \(again.output)")
        }
        #expect(try environment.rows(at: "/new") == wanted, "\(what)")
    }

    /// Runs the arguments on copies with a fault at the first call, the second and so on, until none is met any more;
    /// returns how many were.
    private func meetingFaults(
        _ history: EngineHistory, _ arguments: [String], _ fault: (Int) -> FaultRule,
        _ judge: (MemoryFileSystem, ToolRun, Int) throws -> Void
    ) throws -> Int {
        let pristine = history.fileSystem.fork()
        var index = 0
        while true {
            let memory = pristine.fork()
            let files = FaultInjectingFileSystem(memory, rule: fault(index))
            let met = run(arguments, environment(files, history, index))
            if files.injectedCount == 0 {
                #expect(met.exit == .clean, "\(met.output)")
                return index
            }
            try judge(memory, met, index)
            index += 1
        }
    }

    /// From one call on nothing can be written, the taking back neither: as after a kill.
    @Test(arguments: [["--to-latest"], ["--to-latest", "--promote"]])
    func aKillAtAnyCallIsMended(_ arguments: [String]) throws {
        let history = try history()
        let calls = try meetingFaults(history, arguments) {
            FaultRule(.mutating, pathContains: "/new", index: $0, count: .max, errno: EIO)
        } _: { memory, _, index in
            let what = "\(arguments), call \(index)"
            try judge(memory.fork(), history, arguments, "kill at " + what)
            try judge(
                memory.crashClone(.dropUnsynced, seed: UInt64(index)), history, arguments,
                "power cut at " + what)
        }
        #expect(calls > 10)
    }

    /// One call fails, and the taking back does not.
    @Test func aFailureLeavesItAsItWas() throws {
        let history = try history()
        let writes = try meetingFaults(history, ["--to-latest"]) {
            FaultRule(
                .operation(.write), pathContains: "/new", index: $0, count: 1, errno: ENOSPC)
        } _: { memory, failed, index in
            let what = "write \(index): \(failed.output)"
            let environment = self.environment(memory, history, 5)
            let marker = try #require(try RestoreInspection.read(root: "/new", memory))
            #expect(marker.state == .ready, "\(what)")
            let commit = failed.exit == .clean ? history.commits.last : history.commits[Self.start]
            #expect(try environment.rows(at: "/new") == commit?.rows, "\(what)")
            #expect(run(["--to-latest"], environment).exit == .clean, "\(what)")
            #expect(try environment.rows(at: "/new") == history.commits.last?.rows, "\(what)")
        }
        #expect(writes > 2)
    }

    @Test func anInterruptionLeavesItAsItWas() throws {
        let history = try history()
        let pristine = history.fileSystem.fork()
        var interrupted = 0
        for patience in 0..<200 {
            let memory = pristine.fork()
            let environment = environment(memory, history, patience)
            let asked = Atomic<Int>(0)
            let run = ToolRun(
                PITRRestore.self, ["advance", "/new", "--to-latest"], environment: environment,
                interruption: { asked.wrappingAdd(1, ordering: .relaxed).newValue > patience })
            let marker = try #require(try RestoreInspection.read(root: "/new", memory))
            #expect(marker.state == .ready, "\(run.output)")
            let rows = try environment.rows(at: "/new")
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
            let asked = Atomic<Int>(0)
            let ended = ToolRun(
                PITRRestore.self, ["advance", "/new", "--promote"], environment: environment,
                interruption: { asked.wrappingAdd(1, ordering: .relaxed).newValue > patience })
            if ended.exit == .clean { break }
            #expect(ended.exit == .interrupted, "\(ended.output)")
            if let marker = try RestoreInspection.read(root: "/new", memory) {
                states.insert(marker.state)
                let again = run(["--promote"], environment)
                #expect(again.exit == .clean, "\(again.output)")
            }
            #expect(try environment.rows(at: "/new") == history.commits[Self.start].rows)
        }
        #expect(states.contains(.ready) && states.contains(.promoting), "\(states)")
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
