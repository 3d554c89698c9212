import FalconToolKit
import Testing

@testable import FalconStorage

/// Whose keys an inspection is written with, and what its FORMAT says of that.
struct InspectionKeysTests {
    private let withKey = ["--key-file", "/key"]
    private let encryption = EncryptionOptions(masterKey: .key([UInt8](repeating: 7, count: 32)))

    private func isMarked(_ history: EngineHistory) throws -> Bool {
        let path = FileNames(root: "/new").format
        let format = try FormatFile.decode(
            history.fileSystem.contents(of: path), path: path, forWriting: false)
        return format.features.readIncompatible & FeatureBits.encryption != 0
    }

    /// A history of 30 commits of which the last ten are encrypted, and `/new` as of its tenth.
    private func encryptedMeanwhile(_ seed: UInt64) throws -> EngineHistory {
        let history = try EngineHistory(seed: seed)
        try history.fileSystem.replace("/key", with: [UInt8](repeating: 7, count: 32))
        try history.run(20, maintains: false)
        try history.close()
        #expect(history.inspect(history.commits[9], from: "/db").exit == .clean)
        history.options.encryption = encryption
        try history.reopen()
        try history.run(10, maintains: false)
        try history.close()
        return history
    }

    @Test func theSourcesKeysComeWithWhatTheyEncrypt() throws {
        let history = try encryptedMeanwhile(71)
        #expect(try !isMarked(history))
        let run = history.advance(to: history.commits[24], withKey)
        #expect(run.exit == .clean, "\(run.output)\(run.diagnostics)")
        #expect(try isMarked(history))
        #expect(try history.rows(at: "/new", encryption) == history.commits[24].rows)
        let promoted = ToolRun(
            PITRRestore.self, ["advance", "/new", "--promote"] + withKey,
            environment: history.environment)
        #expect(promoted.exit == .clean, "\(promoted.output)\(promoted.diagnostics)")
        #expect(try isMarked(history))
        #expect(try history.rows(at: "/new", encryption) == history.commits[24].rows)
        // From here on the directory is lost without them, and says so.
        try history.fileSystem.remove("/new/KEYS")
        #expect {
            try history.rows(at: "/new", encryption)
        } throws: { ($0 as? StorageError)?.code == .keyMissing }
    }

    /// The inspection's own files are encrypted by keys that the source's registry need not have.
    @Test func aLostRegistryIsNotReplacedByTheSources() throws {
        let history = try EngineHistory(seed: 72) { $0.encryption = encryption }
        try history.fileSystem.replace("/key", with: [UInt8](repeating: 7, count: 32))
        try history.run(20, maintains: false)
        try history.close()
        let made = history.inspect(history.commits[9], from: "/db", withKey)
        #expect(made.exit == .clean, "\(made.output)\(made.diagnostics)")
        #expect(try isMarked(history))
        try history.fileSystem.remove("/new/KEYS")
        let before = try history.inspected()
        for more in [[], ["--promote"]] {
            let run = history.advance(to: history.commits[14], withKey + more)
            #expect(run.exit == .keyMissing, "\(run.output)\(run.diagnostics)")
            #expect(run.output.contains("registry is missing"), "\(run.output)")
        }
        let promoted = ToolRun(
            PITRRestore.self, ["advance", "/new", "--promote"] + withKey,
            environment: history.environment)
        #expect(promoted.exit == .keyMissing)
        #expect(try history.inspected() == before)
    }
}
