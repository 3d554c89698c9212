import FalconToolKit
import Testing

@testable import FalconStorage

/// What a tool says of damage.
struct DamageReport {
    let text: ToolRun
    let findings: [[String: Any]]
    var codes: [String] { findings.compactMap { $0["code"] as? String } }

    /// It is named by `code`, if there is one, with findings that may stand beside it and no others.
    func expect(_ code: String?, _ exit: ToolExit, also: Set<String>) {
        #expect(text.exit == exit, "\(text.output) \(text.diagnostics)")
        if let code { #expect(codes.contains(code), "\(code) in \(text.output)") }
        let others = Set(codes).subtracting([code ?? ""]).subtracting(also)
        #expect(others.isEmpty, "\(others.sorted()) in \(text.output)")
    }

    func expect(says texts: [String]) {
        for said in texts { #expect(text.output.contains(said), "'\(said)' in \(text.output)") }
    }

    /// Every finding says what it is and what to do, and `explain` says more.
    func expectExplained<Tool: ToolCommand>(by tool: Tool.Type) throws {
        var seen: Set<String> = []
        for finding in findings {
            let code = try #require(finding["code"] as? String)
            #expect((finding["advice"] as? String)?.isEmpty == false, "\(code)")
            #expect((finding["message"] as? String)?.isEmpty == false, "\(code)")
            guard seen.insert(code).inserted else { continue }
            let explained = ToolRun(tool, ["explain", code])
            #expect(explained.exit == .clean && explained.output.contains("What to do:"))
        }
    }
}

/// A copy of files that is mutilated, and the tools that look at it.
protocol DamagedFiles {
    var memory: MemoryFileSystem { get }
    var environment: StorageEnvironment { get }
}

extension StorageEnvironment {
    /// Of what looks at a mutilated copy.
    static func damaged(_ memory: MemoryFileSystem) -> StorageEnvironment {
        let clock = ManualClock()
        clock.advance(micros: 60_000_000)
        return StorageEnvironment(
            fileSystem: memory, clock: clock, random: FalconStorage.SeededRandom(seed: 99))
    }
}

extension DamagedFiles {
    func patch(_ path: String, _ body: (inout [UInt8]) -> Void) throws {
        try LogFixture.patch(memory, path, body)
    }

    /// Flips a bit; a negative offset counts from the end.
    func flip(_ path: String, _ offset: Int) throws {
        try patch(path) { bytes in
            let place = offset < 0 ? bytes.count + offset : offset
            bytes[place] ^= 4
        }
    }

    func swap(_ a: String, _ b: String) throws {
        let (first, second) = (try memory.contents(of: a), try memory.contents(of: b))
        try memory.replace(a, with: second)
        try memory.replace(b, with: first)
    }

    /// Runs a tool, which must leave the files as they were and say the same as text and as JSON.
    func report<Tool: ToolCommand>(_ tool: Tool.Type, _ arguments: [String]) throws -> DamageReport
    {
        let before = memory.snapshotContents()
        let text = ToolRun(tool, arguments, environment: environment)
        let json = ToolRun(tool, arguments + ["--format", "json"], environment: environment)
        #expect(memory.snapshotContents() == before, "the files were written to")
        #expect(text.exit == json.exit)
        return DamageReport(
            text: text, findings: try json.report["findings"] as? [[String: Any]] ?? [])
    }
}
