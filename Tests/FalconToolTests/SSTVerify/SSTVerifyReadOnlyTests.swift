import FalconTestKit
import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// The tool only reads: no byte and no time stamp of the directory changes, nothing is locked.
@Suite struct SSTVerifyReadOnlyTests {
    static let views: [[String]] = [
        [], ["--quick"], ["--deep", "--jobs", "3"], ["--histograms"], ["--dump"],
        ["--dump", "--keys", "row", "--values", "row", "--limit", "10"],
        ["--dump", "--values", "hex", "--from", "6b"], ["--format", "json", "--fail-fast"],
        ["--quick", "--io-limit", "1000"], ["--histograms", "--format", "csv"],
    ]

    private func makeDatabase(_ directory: String, _ environment: StorageEnvironment) throws {
        var options = EngineOptions()
        options.closedTimestampMicros = 0
        options.blobThresholdBytes = 500
        let engine = try StorageEngine.open(
            at: directory, options: options, environment: environment)
        for round in 0..<2 {
            let batch = WriteBatch()
            for id in 0..<200 {
                try batch.put("key \(id)", String(repeating: "\(round)", count: id * 4))
            }
            _ = try engine.commitAndWait(batch)
            try engine.flush()
        }
        try engine.close()
    }

    @Test func noByteAndNoTimeStampChanges() throws {
        let root = NSTemporaryDirectory() + "sst-verify-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let fileSystem = PosixFileSystem()
        let environment = StorageEnvironment(fileSystem: fileSystem)
        try fileSystem.createDirectory(root)
        for damages in [false, true] {
            let directory = root + (damages ? "/damaged" : "/sound")
            try makeDatabase(directory, environment)
            if damages {
                let name = try #require(
                    try fileSystem.list(directory + "/sst").first { $0.hasSuffix(".sst") })
                try LogFixture.patch(fileSystem, directory + "/sst/" + name) { $0[500] ^= 1 }
            }
            let before = try directoryState(directory)
            for view in Self.views {
                let run = ToolRun(SSTVerify.self, [directory] + view, environment: environment)
                // A list that ends early may not get as far as the damage.
                let isWhole = !view.contains("--limit")
                #expect(
                    run.exit == (damages && isWhole ? .corruption : .clean),
                    "\(view): \(run.output)")
                #expect(try directoryState(directory) == before, "\(view)")
            }
        }
    }

    /// Its calls are looked at: none could change anything, none takes a lock.
    @Test func nothingButReadsIsAskedOfTheFileSystem() throws {
        let shop = try TableShop()
        for view in Self.views {
            let traced = TracingFileSystem(shop.memory, recordsReads: true)
            let run = ToolRun(
                SSTVerify.self, ["/db"] + view,
                environment: StorageEnvironment(fileSystem: traced, clock: SystemClock()))
            #expect(run.exit == .clean, "\(view): \(run.output)")
            let wrong = traced.events.filter { $0.operation.isMutating || $0.operation == .lock }
            #expect(wrong.isEmpty, "\(view): \(wrong.prefix(5))")
            #expect(traced.events.contains { $0.operation == .read })
        }
    }
}
