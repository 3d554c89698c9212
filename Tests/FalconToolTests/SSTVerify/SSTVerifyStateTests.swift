import Foundation
import Synchronization
import Testing

@testable import FalconStorage
@testable import FalconToolKit

/// --state: a check that was interrupted goes on where it was.
@Suite struct SSTVerifyStateTests {
    private let shop: TableShop

    init() throws { shop = try TableShop() }

    private func verify(
        _ arguments: [String] = [], on fileSystem: (any FileSystem)? = nil,
        interruptedAfter turns: Int = .max
    ) -> ToolRun {
        let asked = Atomic<Int>(0)
        return ToolRun(
            SSTVerify.self, ["/db", "--jobs", "1", "--state", "/state"] + arguments,
            environment: StorageEnvironment(
                fileSystem: fileSystem ?? shop.memory, clock: shop.clock),
            interruption: { asked.wrappingAdd(1, ordering: .relaxed).newValue > turns })
    }

    private func fields(_ run: ToolRun) throws -> [String: Any] {
        try #require(
            JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any],
            "\(run.output)")
    }

    /// Interrupts a run so that some files, and not all, were found sound.
    private func interrupt(_ arguments: [String] = []) throws -> Int {
        for turns in 1..<60 {
            if try shop.memory.exists("/state") { try shop.memory.remove("/state") }
            let run = verify(["--format", "json"] + arguments, interruptedAfter: turns)
            guard run.exit == .interrupted, try shop.memory.exists("/state") else { continue }
            let done = (try fields(run)["records"] as? [Any])?.count ?? 0
            if (1...3).contains(done) { return done }
        }
        Issue.record("no run was interrupted in its middle")
        return 0
    }

    @Test(arguments: [[], ["--quick"]])
    func aSecondRunPassesOverWhatWasSound(_ depth: [String]) throws {
        let done = try interrupt(depth)
        let again = verify(depth)
        #expect(again.exit == .clean)
        #expect(again.output.contains("passed over: \(done) files of "), "\(again.output)")
        #expect(again.lines.count { $0.hasSuffix(": ok") } == 4 - done, "\(again.output)")
        // It came to its end: nothing is left to go on with.
        #expect(try !shop.memory.exists("/state") && !shop.memory.exists("/state.tmp"))
        let third = try fields(verify(depth + ["--format", "json"]))
        #expect(third["skipped_files"] as? Int == 0 && third["complete"] as? Bool == true)
    }

    @Test func anotherDepthBeginsAnew() throws {
        _ = try interrupt(["--quick"])
        let deep = verify()
        #expect(deep.exit == .clean && !deep.output.contains("passed over"))
        #expect(deep.diagnostics.contains("of another depth"))
        #expect(deep.lines.count { $0.hasSuffix(": ok") } == 4)
    }

    @Test func aFileThatChangedIsCheckedAgain() throws {
        let done = try interrupt()
        // Its end, its beginning, its length: each makes another file of it.
        for change in [{ $0[$0.count - 1] ^= 1 }, { $0[9] ^= 1 }, { $0.append(0) }]
            as [(inout [UInt8]) -> Void]
        {
            let copy = shop.memory.crashClone(.keepUnsynced)
            for path in try shop.files(".sst") + shop.files(".blob") {
                try LogFixture.patch(copy, path, change)
            }
            let run = verify(on: copy)
            #expect(run.exit == .corruption, "\(run.output)")
            #expect(!run.output.contains("passed over"), "\(run.output)")
        }
        #expect(done > 0)
    }

    /// What is damaged is told of by every run, however often it is interrupted.
    @Test func damageIsNeverPassedOver() throws {
        for table in 0..<3 { try shop.damage(table: table) }
        for turns in 1..<40 {
            _ = verify(interruptedAfter: turns)
        }
        let run = verify()
        #expect(run.exit == .corruption)
        #expect(run.output.components(separatedBy: "SST003").count == 4, "\(run.output)")
    }

    /// A blob file that is damaged now makes every table be checked that may refer to it.
    @Test func tablesAreCheckedAgainWhenABlobFileIsDamaged() throws {
        let done = try interrupt()
        let blob = try #require(try shop.files(".blob").first)
        try LogFixture.patch(shop.memory, blob) { $0[$0.count - 20] ^= 1 }
        let run = verify()
        #expect(run.exit == .corruption && done > 0)
        #expect(!run.output.contains("passed over"), "\(run.output)")
    }

    @Test func aCheckThatEndedWithErrorsGoesOn() throws {
        try shop.damage(table: 1)
        let first = verify(["--fail-fast"])
        #expect(first.exit == .corruption)
        let second = verify()
        #expect(second.exit == .corruption && second.output.contains("SST003"))
        #expect(second.output.contains("passed over: 2 files"), "\(second.output)")
    }

    @Test func theStateLiesOutsideOfWhatIsInspected() throws {
        for path in ["/db/state", "/db/sst/state", "/db"] {
            let run = shop.verify(["/db", "--state", path])
            #expect(run.exit == .usage && run.output.contains("Nothing is ever written"))
        }
        for arguments in [
            ["--histograms"], ["--dump"], ["--salvage", "--out", "/new"], ["--report", "/state"],
        ] {
            #expect(verify(arguments).exit == .usage, "\(arguments)")
        }
    }

    @Test func whatIsNoStateIsNotOverwritten() throws {
        let done = try interrupt()
        let state = try shop.memory.contents(of: "/state")
        #expect(done > 0 && state.starts(with: "falcon-sst-verify-state 1 deep\n".utf8))
        for place in stride(from: 0, to: state.count, by: 7) {
            var damaged = state
            damaged[place] ^= 1
            try shop.memory.replace("/state", with: damaged)
            let run = verify()
            #expect(run.exit == .usage, "byte \(place): \(run.output)")
            #expect(try shop.memory.contents(of: "/state") == damaged)
        }
        for text in ["", "notes\n", "falcon-sst-verify-state 1 deep\n"] {
            try shop.memory.replace("/state", with: Array(text.utf8))
            #expect(verify().exit == .usage)
        }
    }

    @Test func aStateThatCannotBeWrittenIsTold() throws {
        let faulty = FaultInjectingFileSystem(
            shop.memory,
            rule: FaultRule(
                .operation(.write), pathContains: "/state.tmp", index: 0, count: 1_000_000,
                errno: 28))
        try shop.damage(table: 1)
        let run = verify(["--fail-fast"], on: faulty)
        #expect(run.exit == .corruption && run.output.contains("SST003"))
        #expect(run.output.contains("/state.tmp"), "\(run.output)")
    }

    /// What was checked without the key is not what a check with the key wants to know.
    @Test func aKeyMakesMoreOfAFile() throws {
        let place = SSTFile.table("/t.sst", nil)
        let memory = MemoryFileSystem()
        try memory.replace("/t.sst", with: Array(repeating: 7, count: 9000))
        let environment = StorageEnvironment(fileSystem: memory, clock: ManualClock())
        let state = try SSTVerifyState("/state", isQuick: false, environment)
        #expect(state.entry(of: place, hasKey: false)?.depth == nil)
        try state.note(place, isHidden: true)
        try state.save()
        let again = try SSTVerifyState("/state", isQuick: false, environment)
        #expect(again.entry(of: place, hasKey: false)?.depth == .deepWithoutKey)
        #expect(again.entry(of: place, hasKey: true)?.depth == nil)
        try again.note(place, isHidden: false)
        #expect(again.entry(of: place, hasKey: true)?.depth == .deep)
        again.forget(place)
        #expect(again.entry(of: place, hasKey: true)?.depth == nil)
    }
}
