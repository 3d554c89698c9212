import FalconTestKit
import FalconToolKit
import Testing

@testable import FalconStorage

/// sst-verify --salvage: a row is as it last was, or it is among the losses.
@Suite struct SalvageTests {
    /// A closed database whose rows were written in several rounds, each in tables of its own, with some
    /// large values; the last round is in the log alone.
    private final class Database {
        let memory = MemoryFileSystem()
        let environment: StorageEnvironment
        let options: EngineOptions
        /// The last state of each row; nil: deleted.
        private(set) var rows: [String: [UInt8]?] = [:]
        static let count = 400

        init(seed: UInt64 = 1, rounds: Int = 3) throws {
            environment = StorageEnvironment(
                fileSystem: memory, clock: SystemClock(),
                random: FalconStorage.SeededRandom(seed: seed))
            var options = EngineOptions()
            options.compactOnlyWhenAsked()
            options.blockBytes = 1024
            self.options = options
            let engine = try StorageEngine.open(
                at: "data", options: options, environment: environment)
            var random = SplitMix64(seed: seed)
            for round in 0..<rounds {
                try write(engine, round, &random)
                if round < rounds - 1 { try engine.flush() }
            }
            try engine.close()
        }

        static func key(_ row: Int) -> String { "row \(1000 + row)" }

        private func write(
            _ engine: StorageEngine, _ round: Int, _ random: inout SplitMix64
        ) throws {
            let batch = WriteBatch()
            for row in 0..<Self.count where round == 0 || random.next() % 3 == 0 {
                let key = Self.key(row)
                if round > 0, random.next() % 6 == 0 {
                    try Array(key.utf8).withUnsafeBytes { try batch.delete(key: $0) }
                    rows[key] = .some(nil)
                    continue
                }
                let size = random.next() % 5 == 0 ? 1500 : 60
                let value =
                    Array("\(key) in round \(round) ".utf8)
                    + (0..<size).map { UInt8(truncatingIfNeeded: $0 &* row) }
                try Array(key.utf8).withUnsafeBytes { key in
                    try value.withUnsafeBytes { try batch.put(key: key, value: $0) }
                }
                rows[key] = value
            }
            _ = try engine.commitAndWait(batch)
        }

        func files(_ suffix: String) throws -> [String] {
            try memory.list("data/sst").filter { $0.hasSuffix(suffix) }.sorted()
                .map { "data/sst/" + $0 }
        }

        func salvage(_ arguments: [String] = []) -> ToolRun {
            let before = contents()
            let run = ToolRun(
                SSTVerify.self, ["data", "--salvage", "--out", "saved"] + arguments,
                environment: environment)
            #expect(contents() == before, "the directory was written to")
            return run
        }

        private func contents() -> [String: [UInt8]] {
            memory.snapshotContents().filter { $0.key.contains("data") }
        }

        /// What the salvaged directory holds.
        func saved() throws -> [String: [UInt8]] {
            var options = options
            options.createIfMissing = false
            let engine = try StorageEngine.open(
                at: "saved", options: options, environment: environment)
            defer { try? engine.close() }
            var found: [String: [UInt8]] = [:]
            let rows = try engine.makeIterator(.all, at: engine.publishedTimestamp)
            try rows.seekToFirst()
            while rows.isValid {
                found[String(decoding: rows.key, as: UTF8.self)] = Array(rows.value)
                try rows.next()
            }
            return found
        }
    }

    /// Rows that are not as they last were; those that `losses` do not cover are a problem.
    private func check(
        _ database: Database, _ saved: [String: [UInt8]], _ losses: [(lower: String, upper: String)]
    ) -> Set<String> {
        var lost: Set<String> = []
        for (key, value) in saved where database.rows[key] != .some(.some(value)) {
            Issue.record("\(key) was not so last, or was deleted")
        }
        for (key, value) in database.rows where value != nil && saved[key] == nil {
            lost.insert(key)
            let hex = key.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            let isTold = losses.contains { $0.lower <= hex && hex < $0.upper }
            if !isTold { Issue.record("\(key) is missing and not told of") }
        }
        return lost
    }

    private func losses(_ run: ToolRun) -> [(lower: String, upper: String)] {
        run.lines.filter { $0.contains("\"SST107\"") }.compactMap { line in
            guard let begin = line.range(of: "keys from "), let end = line.range(of: ";") else {
                return nil
            }
            let words = line[begin.upperBound..<end.lowerBound].split(separator: " ")
            return words.count == 3 ? (String(words[0]), String(words[2])) : nil
        }
    }

    @Test func aSoundDirectoryIsCopiedWhole() throws {
        let database = try Database()
        let run = database.salvage()
        #expect(run.exit == .clean, "\(run.output)\(run.diagnostics)")
        #expect(run.output.contains("nothing is lost"))
        #expect(check(database, try database.saved(), []).isEmpty)
        let verify = ToolRun(SSTVerify.self, ["saved"], environment: database.environment)
        #expect(verify.exit == .clean, "\(verify.output)")
    }

    @Test func ofADamagedBlockTheRowsAreLostAndOlderOnesDoNotReappear() throws {
        let database = try Database()
        let victim = try database.files(".sst")[1]
        try LogFixture.patch(database.memory, victim) { $0[200] ^= 4 }
        let run = database.salvage(["--format", "jsonl", "--keys", "hex"])
        #expect(run.exit == .corruption)
        #expect(losses(run).count == 1)
        let lost = check(database, try database.saved(), losses(run))
        #expect(!lost.isEmpty && lost.count < Database.count / 4)
        let verify = ToolRun(SSTVerify.self, ["saved"], environment: database.environment)
        #expect(verify.exit == .clean, "\(verify.output)")
    }

    @Test func whatTheLogHoldsIsNewerThanTheLoss() throws {
        let database = try Database()
        // Nothing of the oldest and largest table is left.
        try database.memory.remove(try database.files(".sst")[0])
        let run = database.salvage(["--format", "jsonl", "--keys", "hex"])
        #expect(run.exit == .corruption)
        let saved = try database.saved()
        let lost = check(database, saved, losses(run))
        #expect(lost.count > Database.count / 4 && saved.count > Database.count / 4)
    }

    @Test(arguments: [true, false])
    func theValuesOfADamagedBlobFileGoIntoTheTables(isMissing: Bool) throws {
        let database = try Database()
        let victim = try database.files(".blob")[0]
        if isMissing {
            try database.memory.remove(victim)
        } else {
            try LogFixture.patch(database.memory, victim) { $0[64 + 24 + 30] ^= 1 }
        }
        let run = database.salvage(["--format", "jsonl", "--keys", "hex"])
        #expect(run.exit == .corruption, "\(run.output)\(run.diagnostics)")
        let lost = check(database, try database.saved(), losses(run))
        #expect(isMissing ? lost.count > 10 : lost.count <= 1)
        #expect(run.output.contains("row(s)"))
    }

    @Test func behindADamagedLogTheTablesAreSaved() throws {
        let database = try Database()
        try LogFixture.patch(database.memory, LogFixture.firstSegment) { $0[4096 + 80] ^= 1 }
        let run = database.salvage()
        #expect(run.exit == .corruption, "\(run.output)\(run.diagnostics)")
        #expect(run.output.contains("commits from LSN"))
        let saved = try database.saved()
        #expect(saved.values.contains { String(decoding: $0, as: UTF8.self).contains("round 1") })
    }

    @Test func withoutManifestNothingIsMade() throws {
        let database = try Database()
        for name in try database.memory.list("data") where name.hasPrefix("MANIFEST") {
            try database.memory.remove("data/" + name)
        }
        let run = database.salvage()
        #expect(run.exit != .clean)
        #expect(try !database.memory.exists("saved"))
    }

    /// Random damage, and the rule that always holds.
    @Test func randomDamageNeverInventsARow() throws {
        var lost = 0
        for seed in UInt64(1)...40 {
            let database = try Database(seed: seed, rounds: 4)
            var random = SplitMix64(seed: seed &* 77)
            for _ in 0..<(1 + random.next() % 3) {
                let files = try database.files("")
                let victim = files[Int(random.next() % UInt64(files.count))]
                try LogFixture.patch(database.memory, victim) {
                    $0[Int(random.next() % UInt64($0.count))] ^= UInt8(1 << (random.next() % 8))
                }
            }
            let run = database.salvage(["--format", "jsonl", "--keys", "hex"])
            #expect(run.exit == .clean || run.exit == .corruption, "seed \(seed): \(run.output)")
            lost += check(database, try database.saved(), losses(run)).count
        }
        #expect(lost > 100)
    }

    @Test func theArgumentsBelongTogether() throws {
        let database = try Database()
        for arguments in [
            ["data", "--salvage"], ["data", "--out", "x"],
            ["data", "data", "--salvage", "--out", "x"],
        ] {
            let run = ToolRun(SSTVerify.self, arguments, environment: database.environment)
            #expect(run.exit == .usage)
        }
    }
}
