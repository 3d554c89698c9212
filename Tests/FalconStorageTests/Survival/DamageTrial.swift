@testable import FalconStorage

/// Opens a damaged directory and reads everything: each answer is an error that names a file and an
/// offset, or right.
struct DamageTrial {
    enum Outcome: Sendable { case detected, harmless }
    let exemplar: DamageExemplar
    let damage: Damage
    /// Opened for writing, too: what recovery makes of it must be right or refused as well.
    let writes: Bool

    func run() throws -> Outcome {
        let fileSystem = exemplar.fileSystem.fork()
        guard try damage.apply(fileSystem) else { return .harmless }
        var outcome = try examine(fileSystem, isReadOnly: true)
        if writes {
            let second = try examine(fileSystem, isReadOnly: false)
            if second == .detected { outcome = .detected }
        }
        return outcome
    }

    private func examine(
        _ fileSystem: MemoryFileSystem, isReadOnly: Bool
    ) throws -> Outcome {
        var options = exemplar.options
        options.isReadOnly = isReadOnly
        // A compaction that meets the damage is not what is asked here.
        options.level0CompactionTrigger = 100
        options.level0SlowdownTrigger = 200
        options.level0StopTrigger = 300
        options.levelBaseBytes = 1 << 30
        let engine: StorageEngine
        do throws(StorageError) {
            engine = try StorageEngine.open(
                at: "/db", options: options,
                environment: StorageEnvironment(
                    fileSystem: fileSystem, clock: ManualClock(), random: SystemRandom()))
        } catch {
            try judge(error)
            return .detected
        }
        defer { try? engine.close() }
        var outcome = Outcome.harmless
        do {
            let found = try LedgerCheck.read(engine)
            if found.digest != exemplar.rows {
                throw Mismatch("\(found.prefix) commits, \(found.digest.count) rows")
            }
        } catch let error as StorageError {
            try judge(error)
            outcome = .detected
        }
        let failed = try readPoints(engine, outcome)
        if !isReadOnly { try expectOnlyLosses(engine, failed) }
        return outcome
    }

    /// What of a table cannot be read is what the report says is lost, and no more.
    private func expectOnlyLosses(_ engine: StorageEngine, _ failed: [String]) throws {
        guard damage.path.hasSuffix(".sst"), !failed.isEmpty else { return }
        try engine.writable().background.keeper.awaitIdle()
        let lost = engine.corruptionReport().entries.flatMap(\.losses).compactMap(\.keys)
        for key in failed {
            let utf8 = Array(key.utf8)
            let isTold = lost.contains { range in
                !KeyOrder.less(utf8, range.lower ?? [])
                    && range.upper.map { KeyOrder.less(utf8, $0) } ?? true
            }
            if !isTold { throw Mismatch("\(key) cannot be read, lost is \(lost)") }
        }
    }

    /// Returns the keys that cannot be read.
    private func readPoints(_ engine: StorageEngine, _ outcome: Outcome) throws -> [String] {
        var failed: [String] = []
        // All of them where some cannot be read: the others must be right.
        let step = outcome == .detected ? 1 : 7
        for index in stride(from: 0, to: exemplar.keys.count, by: step) {
            let key = exemplar.keys[index]
            do {
                let value = try engine.value(key)
                if value != exemplar.values[key] {
                    throw Mismatch("get \(key) gives \(value ?? "nothing")")
                }
            } catch let error as StorageError {
                try judge(error)
                failed.append(key)
            }
        }
        return failed
    }

    /// An error has to say where the damage is, and be none of another kind.
    private func judge(_ error: StorageError) throws {
        var codes: [StorageErrorCode] = [.corruption, .unsupportedFormat]
        if damage.path.hasSuffix("KEYS") { codes.append(.keyMissing) }
        guard codes.contains(error.code), let location = error.location else {
            throw Mismatch("the error does not tell what is damaged: \(error)")
        }
        if location.path != damage.path, !isKnownDetour(location.path) {
            throw Mismatch("the error names another file: \(error)")
        }
    }

    /// A manifest that lost its last edit is told by what it names that is gone.
    private func isKnownDetour(_ path: String) -> Bool {
        damage.path.contains("MANIFEST") && path.hasPrefix("/db/")
    }
}
