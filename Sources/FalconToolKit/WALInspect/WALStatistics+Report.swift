import FalconStorage

extension WALStatistics {
    /// The statistics as JSON and, in text, as tables.
    func report(_ report: ReportWriter, _ names: WALNames, _ printer: WALDataPrinter, top: Int) {
        let storages = named(names)
        reportTypes(report)
        reportStorages(storages, report)
        let measures: [(String, String, [(String, LatencyHistogram)])] = [
            (
                "transactions", "transactions",
                [("operations", transactionOperations), ("bytes", transactionBytes)]
            ),
            (
                "flush_groups", "flush groups (chunks of the whole log)",
                [("commits", groupCommits), ("bytes", groupBytes)]
            ),
            (
                "syncs", "syncs seen in the whole log, each since the one before",
                [("commits", syncCommits), ("bytes", syncBytes), ("micros", syncMicros)]
            ),
            ("keys", "keys", [("bytes", keySizes)]),
            ("values", "values of puts", [("bytes", valueSizes)]),
        ]
        var fields: [(String, JSONValue)] = [
            ("types", .array(typeRows)), ("storages", .array(storages.map(Self.json))),
        ]
        for (name, title, histograms) in measures {
            let count = histograms.first?.1.count ?? 0
            var inner: [(String, JSONValue)] = [("count", .unsigned(count))]
            report.line("\(title): \(count)")
            for (unit, histogram) in histograms where histogram.count > 0 {
                inner.append((unit, Self.json(histogram)))
                report.line("  \(WALSegmentText.pad(unit, 10))  \(Self.text(histogram))")
            }
            fields.append((name, .object(inner)))
        }
        fields.append(("top_keys", .array(reportTopKeys(report, names, printer, top))))
        fields.append(("top_keys_error", .count(topKeys.error)))
        report.set("statistics", .object(fields))
    }

    // MARK: Types

    private var sortedKinds: [(WALRecordTag, LatencyHistogram)] {
        kinds.sorted { $0.key < $1.key }.map { (WALRecordTag(rawValue: $0.key), $0.value) }
    }

    private static func sum(_ histogram: LatencyHistogram) -> UInt64 {
        UInt64((histogram.mean * Double(histogram.count)).rounded())
    }

    private var typeRows: [JSONValue] {
        sortedKinds.map { tag, histogram in
            .object([
                ("type", .text(tag)), ("count", .unsigned(histogram.count)),
                ("bytes", .unsigned(Self.sum(histogram))), ("size", Self.json(histogram)),
            ])
        }
    }

    private func reportTypes(_ report: ReportWriter) {
        let pad = WALSegmentText.pad
        report.line(
            "type                 records         bytes   share       p50       p99       max")
        let total = max(1, sortedKinds.reduce(0) { $0 + Self.sum($1.1) })
        for (tag, histogram) in sortedKinds {
            let bytes = Self.sum(histogram)
            let tenths = bytes * 1000 / total
            report.line(
                pad(tag.description, 16, false) + pad(String(histogram.count), 12, true)
                    + pad(String(bytes), 14, true)
                    + pad("\(tenths / 10).\(tenths % 10) %", 8, true)
                    + pad(String(Self.percentile(histogram, 50)), 10, true)
                    + pad(String(Self.percentile(histogram, 99)), 10, true)
                    + pad(String(histogram.maximum), 10, true))
        }
    }

    // MARK: Storages

    private struct NamedStorage {
        var name: String
        var storage: Storage
    }

    private func named(_ names: WALNames) -> [NamedStorage] {
        storages.map { storage in
            let name = storage.sample.withUnsafeBytes { names.storage(of: $0) }
            return NamedStorage(
                name: name ?? "(\(WALRecordText.name(storage.operationClass)) keys)",
                storage: storage)
        }
        .sorted { a, b in
            let (x, y) = (a.storage.operations, b.storage.operations)
            return x != y ? x > y : a.name < b.name
        }
    }

    private static func json(_ named: NamedStorage) -> JSONValue {
        let storage = named.storage
        return .object([
            ("storage", .string(named.name)),
            ("class", .string(WALRecordText.name(storage.operationClass))),
            ("operations", .count(storage.operations)), ("inserts", .count(storage.inserts)),
            ("updates", .count(storage.updates)), ("deletes", .count(storage.deletes)),
            ("truncates", .count(storage.truncates)), ("others", .count(storage.others)),
            ("key_bytes", .unsigned(storage.keyBytes)),
            ("value_bytes", .unsigned(storage.valueBytes)),
        ])
    }

    private func reportStorages(_ storages: [NamedStorage], _ report: ReportWriter) {
        guard !storages.isEmpty else { return }
        let pad = WALSegmentText.pad
        let width = max(24, storages.map(\.name.count).max() ?? 0)
        report.line(
            pad("storage", width, false)
                + "    inserts   updates   deletes truncates    others     key bytes   value bytes")
        for named in storages {
            let storage = named.storage
            var line = pad(named.name, width, false) + " "
            for count in [
                storage.inserts, storage.updates, storage.deletes, storage.truncates,
                storage.others,
            ] { line += pad(String(count), 10, true) }
            line += pad(String(storage.keyBytes), 14, true)
            report.line(line + pad(String(storage.valueBytes), 14, true))
        }
    }

    // MARK: Sizes and keys

    private static func percentile(_ histogram: LatencyHistogram, _ percent: Double) -> UInt64 {
        UInt64(histogram.percentile(percent).rounded())
    }

    private static func json(_ histogram: LatencyHistogram) -> JSONValue {
        .object([
            ("min", .unsigned(histogram.minimum)),
            ("mean", .double((histogram.mean * 10).rounded() / 10)),
            ("p50", .unsigned(percentile(histogram, 50))),
            ("p90", .unsigned(percentile(histogram, 90))),
            ("p99", .unsigned(percentile(histogram, 99))),
            ("max", .unsigned(histogram.maximum)),
        ])
    }

    private static func text(_ histogram: LatencyHistogram) -> String {
        "min \(histogram.minimum), p50 \(percentile(histogram, 50)), "
            + "p90 \(percentile(histogram, 90)), p99 \(percentile(histogram, 99)), "
            + "max \(histogram.maximum)"
    }

    private func reportTopKeys(
        _ report: ReportWriter, _ names: WALNames, _ printer: WALDataPrinter, _ count: Int
    ) -> [JSONValue] {
        let top = topKeys.top(count)
        guard !top.isEmpty else { return [] }
        report.line(
            topKeys.error == 0
                ? "top keys:" : "top keys (counts may be \(topKeys.error) too low):")
        return top.map { entry in
            entry.key.withUnsafeBytes { key in
                let storage = names.storage(of: key)
                // Without its own form a key is told by its hash.
                let shown = printer.key(key, names) ?? .string("#" + WALDataPrinter.hash(key))
                var text = shown.encoded
                if case .string(let plain) = shown { text = plain }
                report.line(
                    WALSegmentText.pad(String(entry.count), 12, left: true) + "  "
                        + (storage.map { $0 + " " } ?? "") + text)
                return .object([
                    ("storage", .text(storage)), ("key", shown), ("count", .count(entry.count)),
                    ("value_bytes", .count(entry.bytes)),
                ])
            }
        }
    }
}
