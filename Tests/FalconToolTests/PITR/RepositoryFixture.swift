import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// A history whose log is archived to `/repo`, and restores from there.
extension EngineHistory {
    static let repo = "/repo"

    /// An archived history; `change` sees the options last.
    static func archived(
        seed: UInt64, key: UInt8? = nil, _ change: (inout EngineOptions) -> Void = { _ in }
    ) throws -> EngineHistory {
        let history = try EngineHistory(seed: seed) {
            var archive = ArchiveOptions(directory: repo)
            archive.timeoutMicros = 0
            $0.archive = archive
            // The repository alone has the past.
            $0.walRetainBytes = 0
            if let key {
                $0.encryption = EncryptionOptions(
                    masterKey: .key([UInt8](repeating: key, count: 32)))
            }
            change(&$0)
        }
        try history.fileSystem.replace("/key", with: [UInt8](repeating: key ?? 7, count: 32))
        try history.fileSystem.replace("/wrong", with: [UInt8](repeating: 9, count: 32))
        return history
    }

    func tool(_ arguments: String...) -> ToolRun {
        ToolRun(PITRRestore.self, arguments, environment: environment)
    }

    /// `pitr-restore apply` into `/new`.
    func apply(_ arguments: String...) -> ToolRun {
        ToolRun(
            PITRRestore.self, ["apply", "--repo", Self.repo, "--out", "/new"] + arguments,
            environment: environment)
    }

    /// What `/new` holds; it is removed.
    func takeRestored(_ encryption: EncryptionOptions? = nil) throws -> [String: String] {
        defer { try? fileSystem.removeTree("/new") }
        return try rows(at: "/new", encryption)
    }

    /// The number of a commit's transaction, as `plan` names it.
    func transaction(of commit: Commit) throws -> String {
        let run = tool(
            "plan", "--repo", Self.repo, "--to-lsn", commit.receipt.lsn.description, "--format",
            "json")
        let report = try run.report
        let last = (report["plan"] as? [String: Any])?["last_commit"] as? [String: Any]
        return "\(try #require(last?["txid"]))"
    }

    var inventory: Repository.Inventory {
        get throws { try Repository.open(Self.repo, fileSystem).inventory() }
    }
}
