import FalconToolKit
import Testing

@testable import FalconStorage

/// sst-verify on a directory in memory, which it must leave as it was.
func runVerify(
    _ memory: MemoryFileSystem, _ environment: StorageEnvironment, _ arguments: [String]
) -> ToolRun {
    let before = memory.snapshotContents()
    let run = ToolRun(SSTVerify.self, arguments, environment: environment)
    #expect(memory.snapshotContents() == before, "the directory was written to")
    return run
}
