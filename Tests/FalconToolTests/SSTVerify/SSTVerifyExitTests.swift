import FalconToolKit
import Testing

@testable import FalconStorage

/// The exit code of each way a run can end.
@Suite struct SSTVerifyExitTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let arguments: [String]
        let exit: ToolExit
        var state: String
        var testDescription: String { "\(arguments) on \(state)" }

        init(_ exit: ToolExit, _ arguments: String..., on state: String = "sound") {
            self.arguments = arguments
            self.exit = exit
            self.state = state
        }
    }

    static let views = [[], ["--quick"], ["--histograms"], ["--dump"]]
    static let matrix =
        views.flatMap { view in
            [("sound", ToolExit.clean), ("damaged", .corruption), ("nowhere", .io)].map {
                Case(view, $0.1, $0.0)
            }
        } + [
            Case(.clean, "--deep"), Case(.clean, "--jobs", "1"), Case(.clean, "--jobs", "64"),
            Case(.clean, "--io-limit", "100000"), Case(.clean, "--fail-fast"),
            Case(.clean, "--max-errors", "3"), Case(.clean, "--quiet"),
            Case(.clean, "--dump", "--limit", "0"), Case(.clean, "--dump", "--values", "row"),
            Case(.clean, "--dump", "--key-prefix", "ffff"),
            Case(.clean, "--dump", "--from", "00", "--to", "ff"),
            Case(.clean, "--histograms", "--format", "csv"),
            Case(.benign, on: "orphan"), Case(.benign, "--quick", on: "orphan"),
            Case(.corruption, on: "missing"), Case(.corruption, "--quick", on: "missing"),
            Case(.corruption, "--dump", on: "missing"),
            Case(.corruption, "--fail-fast", on: "damaged"),
            Case(.corruption, "--quick", "--max-errors", "2", on: "damaged"),
            Case(.corruption, on: "no manifest"), Case(.corruption, "--quick", on: "no manifest"),
            Case(.usage, "--quick", "--deep"), Case(.usage, "--quick", "--histograms"),
            Case(.usage, "--jobs", "0"), Case(.usage, "--jobs", "1025"),
            Case(.usage, "--io-limit", "0"), Case(.usage, "--io-limit", "-1"),
            Case(.usage, "--io-limit", "nan"), Case(.usage, "--max-errors", "0"),
            Case(.usage, "--max-errors", "1", "--fail-fast"), Case(.usage, "--limit", "3"),
            Case(.usage, "--dump", "--limit", "-1"), Case(.usage, "--values", "hex"),
            Case(.usage, "--from", "00"), Case(.usage, "--dump", "--from", "0"),
            Case(.usage, "--dump", "--key-prefix", "zz"),
            Case(.usage, "--dump", "--key-prefix", "00", "--from", "00"),
            Case(.usage, "--dump", "--quick"), Case(.usage, "--dump", "--histograms"),
            Case(.usage, "--dump", "--jobs", "2"), Case(.usage, "--keys", "plain"),
            Case(.usage, "--dump", "--salvage", "--out", "/new"),
            Case(.usage, "--salvage", "--out", "/new", "--quick"),
            Case(.usage, "--report", "/db/r"), Case(.usage, "--report", ""),
            Case(.usage, "--state", "/db/s"), Case(.usage, "--state", ""),
            Case(.usage, "--state", "/s", "--dump"), Case(.usage, "--state", "/s", "--histograms"),
            Case(.usage, "--progress", "0"), Case(.usage, "--progress-format", "csv"),
            Case(.clean, "--progress", "1"), Case(.clean, "--progress-format", "json"),
            Case(.usage, "--salvage", "--out", "/new", "--io-limit", "5"),
        ]

    @Test(arguments: matrix)
    func theExitCodeIsAsAgreed(_ wanted: Case) throws {
        let shop = try TableShop()
        var path = "/db"
        switch wanted.state {
        case "damaged": try shop.damage(table: 0)
        case "nowhere": path = "/nowhere"
        case "missing": try shop.memory.remove(try shop.files(".sst")[1])
        case "no manifest": try LogFixture.patch(shop.memory, "/db/CURRENT") { $0[3] ^= 1 }
        case "orphan": _ = try shop.memory.open("/db/sst/00000000000fffff.sst", .create)
        default: break
        }
        let run = shop.verify([path] + wanted.arguments)
        #expect(run.exit == wanted.exit, "\(run.output) \(run.diagnostics)")
    }

    @Test(arguments: [[], ["--quick"], ["--dump"]])
    func anUnreadableFileIsAnInputError(_ view: [String]) throws {
        let shop = try TableShop()
        let faulty = FaultInjectingFileSystem(
            shop.memory,
            rule: FaultRule(.reading, pathContains: ".sst", index: 0, count: 1_000_000, errno: 5))
        let run = ToolRun(
            SSTVerify.self, ["/db"] + view,
            environment: StorageEnvironment(fileSystem: faulty, clock: shop.clock))
        #expect(run.exit == .io, "\(run.output)")
    }
}

extension SSTVerifyExitTests.Case {
    init(_ arguments: [String], _ exit: ToolExit, _ state: String) {
        self.init(exit, on: state)
        self = Self(exit: exit, arguments: arguments, state: state)
    }

    private init(exit: ToolExit, arguments: [String], state: String) {
        self.arguments = arguments
        self.exit = exit
        self.state = state
    }
}
