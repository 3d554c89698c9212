/// Takes damaged tables out of service, and back.
struct TableExaminer {
    let records: DamageRecords
    let options: EngineOptions
    let random: any StorageRandom

    /// Whether the table is in the version, and the damage is none that is known.
    func concerns(_ number: FileNumber, _ error: StorageError) -> Bool {
        records.version.file(number).map { !isKnown(error, of: $0.file) } ?? false
    }

    private func isKnown(_ error: StorageError, of file: TableFile) -> Bool {
        file.quarantine?.covers(error) ?? false
    }

    func examine(_ suspicion: Suspicion) throws(StorageError) {
        // Compacted away meanwhile: nobody reads it any more.
        guard let (file, level) = records.version.file(suspicion.file),
            !isKnown(suspicion.error, of: file)
        else { return }
        guard let damage = try file.survey() else {
            return records.events.send(.damageNotRepeated(suspicion.error))
        }
        var record = QuarantineRecord(
            damage, file: file.number, finder: suspicion.finder,
            wallMicros: records.clock.wallMicros())
        if let known = file.quarantine {
            // More of it is damaged by now, or what a read met passes when read again.
            if known.isWhole == record.isWhole, known.losses == record.losses { return }
            record.finder = known.finder
            record.foundWallMicros = known.foundWallMicros
        }
        try records.add(record)
        file.setQuarantine(record)
        records.onChange()
        records.events.send(
            .quarantined(
                CorruptionReport.Entry(file, record, level: level, names: records.store.names)))
    }

    // MARK: - Ways out

    /// Reads the quarantined tables whole and puts back into service those that are sound.
    func recheck() throws(StorageError) -> [FileNumber] {
        var sound: [FileNumber] = []
        defer { if !sound.isEmpty { records.onChange() } }
        for level in records.version.levels {
            for file in level.files where file.quarantine != nil {
                if try file.survey() != nil { continue }
                try records.remove(file.number)
                file.setQuarantine(nil)
                sound.append(file.number)
            }
        }
        return sound
    }

    /// Takes quarantined tables out of the version for good; what of them can be read is written anew.
    func drop(_ numbers: [FileNumber]?) throws(StorageError) -> CorruptionReport {
        let all = records.version.corruptionReport(records.store.names)
        var dropped = CorruptionReport()
        dropped.entries = all.entries.filter { numbers?.contains($0.file) ?? true }
        if let missing = numbers?.first(where: { number in
            !dropped.entries.contains { $0.file == number }
        }) {
            throw .invalidArgument(
                "Table \(FileNames.hex(missing.rawValue)) is not quarantined.",
                hint: "corruptionReport() lists those that are.")
        }
        guard !dropped.isEmpty else { return dropped }
        try replace(dropped.entries)
        records.onChange()
        return dropped
    }
}
