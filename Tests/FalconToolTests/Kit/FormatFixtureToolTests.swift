import FalconTestKit
import FalconToolKit
import Testing

@testable import FalconStorage

/// The tools read what a program of a frozen format version left: Fixtures/format-1.
@Suite struct FormatFixtureToolTests {
    private func run<Tool: ToolCommand>(
        _ tool: Tool.Type, _ fixture: FormatFixture, _ arguments: [String], exit: ToolExit = .clean,
        takesKey: Bool = true, says wanted: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let memory = try fixture.load()
        let environment = StorageEnvironment(fileSystem: memory)
        let before = memory.snapshotContents()
        let key = fixture == .encrypted && takesKey ? ["--key-file", FormatFixture.keyFile] : []
        let run = ToolRun(tool, arguments + key, environment: environment)
        #expect(
            run.exit == exit, "\(run.output)\(run.diagnostics)", sourceLocation: sourceLocation)
        for text in wanted {
            #expect(
                run.output.contains(text), "no \(text) in\n\(run.output)",
                sourceLocation: sourceLocation)
        }
        #expect(memory.snapshotContents() == before, sourceLocation: sourceLocation)
    }

    @Test(arguments: FormatFixture.allCases)
    func tablesAreSound(_ fixture: FormatFixture) throws {
        try run(SSTVerify.self, fixture, [FormatFixture.database, "--deep"], says: ["all sound"])
    }

    @Test(arguments: FormatFixture.allCases)
    func theLogIsSound(_ fixture: FormatFixture) throws {
        try run(
            WALInspect.self, fixture, [FormatFixture.database, "--records"],
            says: ["before the end"])
    }

    @Test(arguments: FormatFixture.allCases)
    func changesAreCaptured(_ fixture: FormatFixture) throws {
        try run(
            CDCTail.self, fixture, [FormatFixture.database],
            says: ["savepoints"])
    }

    @Test(arguments: FormatFixture.allCases)
    func theRepositoryIsSound(_ fixture: FormatFixture) throws {
        try run(
            PITRRestore.self, fixture, ["verify", "--repo", FormatFixture.repository],
            takesKey: false, says: ["all as written"])
        try run(
            PITRRestore.self, fixture,
            [
                "plan", "--repo", FormatFixture.repository, "--to-name", "before the end",
                "--out", "/new",
            ], says: ["before the end"])
    }
}
