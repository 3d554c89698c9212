import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// Damages of what surrounds the log, FORMAT, CURRENT and MANIFEST, with what wal-inspect must say and what
/// the engine itself does with the directory.
@Suite struct WALDirectoryTableTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let code: String?
        let exit: ToolExit
        var says: [String] = []
        /// Codes that would name the same cause a second time.
        var omits: [String] = []
        /// The engine opens it all the same.
        var opens = false
        let mutilate: @Sendable (MemoryFileSystem) throws -> Void
        var testDescription: String { name }
    }

    static let table: [Case] = [
        Case(
            name: "nothing", code: nil, exit: .clean, says: ["verdict: clean", "tables end at"],
            opens: true
        ) { _ in },
        Case(name: "CURRENT is missing", code: "GEN010", exit: .corruption, says: ["/db/CURRENT"]) {
            try $0.remove("/db/CURRENT")
        },
        Case(name: "CURRENT is damaged", code: "GEN010", exit: .corruption) {
            try LogFixture.patch($0, "/db/CURRENT") { $0[9] ^= 1 }
        },
        Case(name: "CURRENT names no manifest", code: "GEN010", exit: .corruption) {
            try $0.remove("/db/" + manifest($0))
        },
        Case(name: "FORMAT is missing", code: "GEN010", exit: .corruption, says: ["/db/FORMAT"]) {
            try $0.remove("/db/FORMAT")
        },
        Case(name: "FORMAT is damaged", code: "GEN010", exit: .corruption) {
            try LogFixture.patch($0, "/db/FORMAT") { $0[9] ^= 1 }
        },
        Case(name: "a bit of MANIFEST", code: "GEN010", exit: .corruption) { fileSystem in
            try LogFixture.patch(fileSystem, "/db/" + manifest(fileSystem)) { $0[200] ^= 1 }
        },
        Case(
            name: "the newest segment is missing", code: "GEN011", exit: .corruption,
            says: ["recovery refuses", "is missing"]
        ) { fileSystem in
            try fileSystem.remove(try #require(try segments(fileSystem).last))
        },
        Case(
            name: "the end of the newest segment is missing", code: "GEN011", exit: .corruption
        ) { fileSystem in
            let newest = try #require(try segments(fileSystem).last)
            try LogFixture.patch(fileSystem, newest) { $0.removeLast($0.count - 4096) }
        },
        Case(name: "the log is emptied", code: "GEN011", exit: .corruption, says: ["no log"]) {
            fileSystem in
            for path in try segments(fileSystem) { try fileSystem.remove(path) }
        },
        Case(
            name: "damage in what the tables hold already", code: "WAL001", exit: .corruption,
            says: [
                "recovery goes to", "the damage lies before", "where the tables end",
                "restores and change capture do",
            ], opens: true
        ) { fileSystem in
            let oldest = try #require(try segments(fileSystem).first)
            try LogFixture.patch(fileSystem, oldest) { $0[5000] ^= 1 }
        },
        Case(
            name: "a log of another database", code: "GEN013", exit: .corruption,
            says: ["is of shard", "FORMAT says", "more are another's"], omits: ["WAL004"]
        ) { fileSystem in
            for path in try segments(fileSystem) {
                try makeForeign(fileSystem, path)
            }
        },
        Case(
            name: "an old segment of another database, whose commits the tables hold",
            code: "GEN013", exit: .corruption,
            says: ["is of shard", "recovery goes to", "the damage lies before"], opens: true
        ) { fileSystem in
            let oldest = try #require(try segments(fileSystem).first)
            try makeForeign(fileSystem, oldest)
        },
    ]

    private static func manifest(_ fileSystem: MemoryFileSystem) throws -> String {
        try #require(try fileSystem.list("/db").first { $0.hasPrefix("MANIFEST-") })
    }

    private static func segments(_ fileSystem: MemoryFileSystem) throws -> [String] {
        try fileSystem.list("/db/wal").filter { $0.hasSuffix(".wal") }.sorted()
            .map { "/db/wal/" + $0 }
    }

    /// The segment says that it is another database's.
    private static func makeForeign(_ fileSystem: MemoryFileSystem, _ path: String) throws {
        try LogFixture.patch(fileSystem, path) { bytes in
            guard
                case .header(var header) = WALSegmentHeader.decode(
                    Array(bytes.prefix(WALFormat.headerBytes)))
            else { return }
            header.identity.shard = UID(high: 6, low: 6)
            bytes.replaceSubrange(0..<WALFormat.headerBytes, with: header.encoded())
        }
    }

    @Test(arguments: table)
    func theDirectoryIsJudgedAsTheEngineDoes(_ damage: Case) throws {
        let history = try EngineHistory(seed: 21)
        try history.run(300, valueBytes: 400, maintains: false)
        try history.engine.flush()
        // The end of the log is noted: a part of the newest segment is missed then.
        try history.close()
        let fileSystem = history.fileSystem.crashClone(.keepUnsynced)
        try damage.mutilate(fileSystem)
        let before = fileSystem.snapshotContents()
        let environment = StorageEnvironment(fileSystem: fileSystem, clock: ManualClock())
        let run = ToolRun(WALInspect.self, ["/db"], environment: environment)
        #expect(fileSystem.snapshotContents() == before)
        #expect(run.exit == damage.exit, "\(run.output)")
        if let code = damage.code { #expect(run.output.contains(" \(code) "), "\(run.output)") }
        for text in damage.says { #expect(run.output.contains(text), "\(run.output)") }
        for code in damage.omits { #expect(!run.output.contains(code), "\(run.output)") }
        if damage.code == "GEN013" {
            // One finding, however many segments there are.
            #expect(run.output.components(separatedBy: "GEN013").count == 2, "\(run.output)")
        }
        var options = EngineOptions()
        options.isReadOnly = true
        var opened = true
        do throws(StorageError) {
            try StorageEngine.open(at: "/db", options: options, environment: environment).close()
        } catch { opened = false }
        #expect(opened == damage.opens)
        let json = ToolRun(
            WALInspect.self, ["/db", "--format", "json"], environment: environment)
        guard json.output.contains("\"recovery\":") else { return }
        #expect(json.output.contains("\"recovery\":\"\(opened ? "recovers" : "refuses")\""))
    }

    /// In the middle of the log neither it nor its successor fits the chain: the cause is one all the same.
    @Test func aSegmentOfAnotherDatabaseIsOneFinding() throws {
        let (history, other) = (try EngineHistory(seed: 21), try EngineHistory(seed: 22))
        for each in [history, other] {
            // Enough for segments that grow to twice their size for want of a spare.
            try each.run(900, valueBytes: 400, maintains: false)
            try each.close()
        }
        let fileSystem = history.fileSystem.crashClone(.keepUnsynced)
        let names = try Self.segments(fileSystem).dropFirst().dropLast()
        let name = try #require(names.last { try other.fileSystem.exists($0) })
        try fileSystem.replace(name, with: try other.fileSystem.contents(of: name))
        let run = ToolRun(
            WALInspect.self, ["/db"],
            environment: StorageEnvironment(fileSystem: fileSystem, clock: ManualClock()))
        #expect(run.exit == .corruption, "\(run.output)")
        #expect(run.output.components(separatedBy: "GEN013").count == 2, "\(run.output)")
        #expect(run.output.contains("CORRUPTION GEN013 \(name)"), "\(run.output)")
        for code in ["WAL004", "WAL008"] { #expect(!run.output.contains(code), "\(run.output)") }
    }
}
