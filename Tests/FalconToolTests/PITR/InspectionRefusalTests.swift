import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// Advances and promotions of inspected states that are refused, and change nothing.
struct InspectionRefusalTests {
    @Test func itGoesForwardOnly() throws {
        let history = try EngineHistory.inspection(seed: 22, of: 40, at: 20)
        let before = try history.inspected()
        let earlier = history.commits[12]
        for run in [
            history.advance(to: earlier),
            history.advance("--to-time", ToolTime.format(earlier.receipt.timestamp)),
            history.advance(to: history.commits[20], ["--exclusive"]),
            history.advance(to: earlier, ["--promote"]),
        ] {
            #expect(run.exit == .unreachable, "\(run.output)")
            #expect(run.output.contains("PITR012"), "\(run.output)")
            #expect(run.output.contains("goes forward only"), "\(run.output)")
            #expect(try history.inspected() == before)
        }
        let beyond = try #require(history.commits.last).receipt.lsn.advanced(by: 1 << 30)
        let unreachable = history.advance("--to-lsn", beyond.description)
        #expect(unreachable.exit == .unreachable && unreachable.output.contains("PITR001"))
        #expect(try history.inspected() == before)
        // What can be reached instead is told as a restore's plan tells it.
        let end = history.commits[20].receipt
        for target in [["--to-lsn", beyond.description], ["--to-time", "2100-01-01"]] {
            let run = history.advance(target[0], target[1])
            #expect(run.exit == .unreachable, "\(run.output)")
            #expect(
                run.output.contains(
                    "the earliest point is LSN \(end.lsn) (\(ToolTime.format(end.timestamp)))"
                ),
                "\(run.output)")
            #expect(try /the latest LSN [^ ]+ \(20.+Z\)/.firstMatch(in: run.output) != nil)
        }
        #expect(try history.inspected() == before)
        // Where it is already is no step back.
        let same = history.advance(to: history.commits[20])
        #expect(same.exit == .clean && same.output.contains("replay:        0 commits"))
        #expect(try history.rows(at: "/new") == history.commits[20].rows)
    }

    /// What lies behind a gap of the archive is not left out without a word.
    @Test func aGapOfTheArchiveIsNotPassedOver() throws {
        let history = try EngineHistory.archived(seed: 31, key: nil)
        try history.run(10)
        try history.engine.backup(label: "first")
        try history.run(300, valueBytes: 2000, maintains: false)
        try history.engine.backup(label: "second")
        try history.run(20)
        try history.close()
        let made = history.inspect(history.commits[12], from: "/repo")
        #expect(made.exit == .clean, "\(made.output)")
        let before = try history.inspected()
        let segments = try Repository.open("/repo", history.fileSystem).inventory().segments
            .sorted { $0.firstLSN < $1.firstLSN }
        let end = history.commits[12].receipt.lsn
        let lost = try #require(
            segments.first { $0.firstLSN > end && $0.uid != segments.last?.uid })
        try history.fileSystem.remove(lost.path)
        let latest = history.advance("--to-latest", "--promote")
        #expect(latest.exit == .unreachable, "\(latest.output)")
        #expect(latest.output.contains("PITR006"), "\(latest.output)")
        #expect(try history.inspected() == before)
        let behind = history.advance(to: try #require(history.commits.last))
        #expect(
            behind.exit == .unreachable && behind.output.contains("PITR006"), "\(behind.output)")
        #expect(try history.inspected() == before)
    }

    @Test func aLogThatWasReleasedMeanwhileIsNotPassedOver() throws {
        let history = try EngineHistory(seed: 27)
        // Enough for segments that grow to twice their size for want of a spare.
        try history.run(300, valueBytes: 2000, maintains: false)
        try history.close()
        #expect(history.inspect(history.commits[10], from: "/db").exit == .clean)
        // The segments up to there, and some more, go.
        let segments = try history.fileSystem.list("/db/wal").filter { $0.hasSuffix(".wal") }
            .sorted()
        try #require(segments.count > 3)
        for name in segments.prefix(2) { try history.fileSystem.remove("/db/wal/" + name) }
        let before = try history.inspected()
        let run = history.advance("--to-latest")
        #expect(run.exit == .unreachable, "\(run.output)")
        #expect(run.output.contains("no longer there"), "\(run.output)")
        #expect(try history.inspected() == before)
    }

    /// As a restore does, an advance says that it does without the source's MANIFEST, be it refused or not.
    @Test func aSourceWithoutAManifestIsTold() throws {
        let history = try EngineHistory.inspection(seed: 34, of: 40, at: 20)
        try history.fileSystem.remove(FileNames(root: "/db").current)
        let refused = history.advance(to: history.commits[12])
        #expect(refused.exit == .unreachable, "\(refused.output)")
        #expect(refused.output.contains("PITR004"), "\(refused.output)")
        #expect(refused.output.contains("PITR012"), "\(refused.output)")
        let run = history.advance("--to-latest")
        #expect(run.exit == .benign, "\(run.output)")
        #expect(run.output.contains("PITR004"), "\(run.output)")
        #expect(try history.rows(at: "/new") == history.commits.last?.rows)
        // The archived log has no MANIFEST beside it, and lacks none.
        let archived = try EngineHistory.archived(seed: 34)
        try archived.run(10)
        try archived.engine.backup(label: "")
        try archived.run(10)
        try archived.close()
        #expect(archived.inspect(archived.commits[12], from: "/repo").exit == .clean)
        #expect(archived.advance("--to-latest").exit == .clean)
    }

    /// What is older than the log has nothing to go on with, and is promoted all the same.
    @Test func aStateOlderThanTheLogIsNotAdvanced() throws {
        let history = try EngineHistory.withVersionsOlderThanItsLog(seed: 33)
        let commit = history.commits[4]
        let time = ToolTime.format(commit.receipt.timestamp)
        let run = ToolRun(
            PITRRestore.self, ["/db", "--to-time", time, "--inspect", "--out", "/new"],
            environment: history.environment)
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try history.rows(at: "/new") == commit.rows)
        let before = try history.inspected()
        let refused = history.advance("--to-latest")
        #expect(refused.exit == .unreachable, "\(refused.output)")
        #expect(refused.output.contains("cannot be advanced"), "\(refused.output)")
        #expect(try history.inspected() == before)
        #expect(history.advance("--promote").exit == .clean)
        #expect(try history.rows(at: "/new") == commit.rows)
    }

    @Test func argumentsThatMakeNoSenseAreRefused() throws {
        let history = try EngineHistory.inspection(seed: 29, of: 20, at: 10)
        let before = try history.inspected()
        for arguments in [
            [], ["--source", "/db", "--promote"], ["--to-latest", "--to-lsn", "0/9"],
        ] {
            let usage = ToolRun(
                PITRRestore.self, ["advance", "/new"] + arguments, environment: history.environment)
            #expect(usage.exit == .usage, "\(arguments): \(usage.output)")
        }
        #expect(try history.inspected() == before)
    }

    @Test func nobodyChangesWhatAnotherShows() throws {
        let history = try EngineHistory.inspection(seed: 28, of: 20, at: 10)
        let lock = try RestoreInspection.hold(root: "/new", history.fileSystem)
        let before = try history.inspected()
        #expect(history.advance("--to-latest").exit == .inUse)
        #expect(history.advance("--promote").exit == .inUse)
        #expect(try history.inspected() == before)
        lock.release()
        #expect(history.advance("--to-latest").exit == .clean)
    }

    @Test func aWrongKeyChangesNothing() throws {
        let history = try EngineHistory.archived(seed: 30, key: 7)
        try history.run(10)
        try history.engine.backup(label: "")
        let commit = try #require(history.commits.last)
        try history.run(10)
        try history.close()
        #expect(history.inspect(commit, from: "/repo", ["--key-file", "/key"]).exit == .clean)
        let before = try history.inspected()
        for arguments in [
            ["--to-latest"], ["--to-latest", "--key-file", "/wrong"], ["--promote"],
            ["--promote", "--key-file", "/wrong"],
        ] {
            let run = ToolRun(
                PITRRestore.self, ["advance", "/new"] + arguments, environment: history.environment)
            #expect(run.exit == .keyMissing, "\(arguments): \(run.output)")
            #expect(try history.inspected() == before)
        }
        for bytes in before.values {
            #expect(!String(decoding: bytes, as: UTF8.self).contains("xxxxxxxx"))
        }
    }

    @Test func aDamagedMarkerIsRefused() throws {
        let history = try EngineHistory.inspection(seed: 31, of: 20, at: 10)
        let path = "/new/" + FileNames.inspectionMarkerName
        let bytes = try history.fileSystem.contents(of: path)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1
            try history.fileSystem.replace(path, with: damaged)
            #expect(throws: StorageError.self, "byte \(index)") {
                try history.rows(at: "/new")
            }
            #expect(throws: StorageError.self, "byte \(index)") { try history.write("a", "b") }
        }
        #expect(history.advance("--promote").exit != .clean)
        try history.fileSystem.replace(path, with: bytes)
        #expect(try history.rows(at: "/new") == history.commits[10].rows)
    }
}
