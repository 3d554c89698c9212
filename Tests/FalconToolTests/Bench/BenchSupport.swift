import FalconStorage
import Testing

@testable import FalconToolKit

/// A measurement in memory, and the document it exported.
struct BenchRun {
    let run: ToolRun
    let document: JSONValue?

    init<Tool: ToolCommand>(
        _ tool: Tool.Type, _ arguments: [String], files: MemoryFileSystem = MemoryFileSystem()
    ) {
        run = ToolRun(
            tool, arguments + ["--export", "json", "out.json"],
            environment: StorageEnvironment(fileSystem: files))
        document = (try? files.contents(of: "out.json")).flatMap(JSONReader.value(of:))
    }

    func workload(_ name: String) -> JSONValue? {
        document?["workloads"]?.elements?.first { $0["name"]?.stringValue == name }
    }
    func figure(_ workload: String, _ path: String...) -> Double? {
        path.reduce(self.workload(workload)) { $0?[$1] }?.doubleValue
    }
}
