import FalconStorage

/// The histograms of a run, by level: as a table for people, as rows for programs.
struct SSTHistogramReport {
    static let columns = [
        "histogram", "level", "bucket", "from", "below", "count", "bytes", "stored_bytes", "rate",
        "nominal_rate",
    ]
    private static let codecs: [(BlockCodec, String)] = [
        (.none, "none"), (.lz4, "lz4"), (.zstd, "zstd"),
    ]

    /// One row: what is not said of it is null.
    private typealias Row = [(String, JSONValue)]

    /// In the order they are shown; the last are all together.
    private let levels: [(name: String, level: JSONValue, histograms: TableHistograms)]
    private let moment: UInt64

    init(_ byLevel: [Int: TableHistograms], asOf moment: UInt64) {
        self.moment = moment
        var all = TableHistograms()
        var levels: [(String, JSONValue, TableHistograms)] = []
        for (level, histograms) in byLevel.sorted(by: { $0.key < $1.key }) {
            all.add(histograms)
            let known = level >= 0
            levels.append(
                (known ? "L\(level)" : "files", known ? .count(level) : .null, histograms))
        }
        // What stands under "all" is one level's where there is but one.
        self.levels = levels.count == 1 ? levels : levels + [("all", .string("all"), all)]
    }

    func write(to report: ReportWriter) {
        let rows = self.rows
        report.set("histograms_as_of", .string(ToolTime.format(moment)))
        report.set("histograms", .array(rows.map { .object($0) }))
        switch report.format {
        case .csv: for row in rows { report.record(row, text: "") }
        case .text: for line in lines { report.line(line) }
        case .json, .jsonl: break
        }
    }

    // MARK: - For programs

    private var rows: [Row] {
        levels.filter { $0.name != "all" }.flatMap { _, level, histograms in
            rows(histograms).map { row in
                Self.columns.map { name in
                    name == "level"
                        ? (name, level) : (name, row.first { $0.0 == name }?.1 ?? .null)
                }
            }
        }
    }

    private func rows(_ histograms: TableHistograms) -> [Row] {
        var rows: [Row] = []
        for (name, sizes) in [
            ("key_bytes", histograms.keyBytes), ("value_bytes", histograms.valueBytes),
            ("versions_per_key", histograms.versionsPerKey),
        ] {
            for (bucket, count) in sizes.counts.enumerated() where count > 0 {
                let bounds = SizeHistogram.bounds(bucket)
                rows.append([
                    ("histogram", .string(name)), ("from", .unsigned(bounds.from)),
                    ("below", .unsigned(bounds.below)), ("count", .unsigned(count)),
                ])
            }
        }
        for (place, count) in histograms.ages.enumerated() where count > 0 {
            let bounds = TableHistograms.ageBounds
            rows.append([
                ("histogram", .string("age_seconds")),
                ("from", .unsigned(place == 0 ? 0 : bounds[place - 1])),
                ("below", place == bounds.count ? .null : .unsigned(bounds[place])),
                ("count", .unsigned(count)),
            ])
        }
        if histograms.futureVersions > 0 {
            rows.append([
                ("histogram", .string("age_seconds")), ("below", .int(0)),
                ("count", .unsigned(histograms.futureVersions)),
            ])
        }
        for (place, count) in histograms.tombstoneDensity.enumerated() where count > 0 {
            rows.append(densityRow(place, count))
        }
        return rows + compressionRows(histograms) + filterRows(histograms.filter)
    }

    private func densityRow(_ place: Int, _ count: UInt64) -> Row {
        let bounds = [0] + TableHistograms.densityBounds
        let from = place == 0 ? 0 : bounds[place - 1]
        return [
            ("histogram", .string("tombstone_percent_of_block")),
            ("bucket", .string(Self.densityNames[place])), ("from", .count(from)),
            ("below", place == 0 || place == bounds.count ? .null : .count(bounds[place])),
            ("count", .unsigned(count)),
        ]
    }

    private func compressionRows(_ histograms: TableHistograms) -> [Row] {
        Self.codecs.compactMap { codec, name in
            histograms.codecs[codec].map { use in
                [
                    ("histogram", .string("compression")), ("bucket", .string(name)),
                    ("count", .unsigned(use.blocks)), ("bytes", .unsigned(use.rawBytes)),
                    ("stored_bytes", .unsigned(use.storedBytes)),
                    ("rate", .double(Self.ratio(use))),
                ]
            }
        }
    }

    private func filterRows(_ filter: FilterMeasure) -> [Row] {
        guard filter.asked > 0 else { return [] }
        return [
            [
                ("histogram", .string("filter_false_positives")),
                ("bucket", .string("\(Self.decimals(filter.bitsPerKey, 1)) bits per key")),
                ("count", .unsigned(filter.asked)), ("bytes", .unsigned(filter.bits / 8)),
                ("rate", .double(filter.rate)),
                ("nominal_rate", .double((filter.nominalRate * 1e6).rounded() / 1e6)),
            ]
        ]
    }

    // MARK: - For people

    private static let densityNames = [
        "none", "below 1 %", "1 to 10 %", "10 to 25 %", "25 to 50 %", "50 to 75 %", "75 to 100 %",
        "all",
    ]
    private static let ageNames = [
        "below 1 s", "1 s to 1 min", "1 to 10 min", "10 min to 1 h", "1 to 6 h", "6 h to 1 day",
        "1 to 7 days", "7 to 30 days", "30 days to 1 year", "a year and more",
    ]

    private var lines: [String] {
        var lines = [""]
        let names = levels.map(\.name)
        func section(_ title: String, _ rows: [(String, (TableHistograms) -> String?)]) {
            var shown: [String] = []
            for (label, cell) in rows {
                let cells = levels.map { cell($0.histograms) }
                if cells.contains(where: { $0 != nil }) {
                    shown.append(Self.row("  " + label, cells.map { $0 ?? "-" }))
                }
            }
            if !shown.isEmpty { lines += [Self.row(title, names)] + shown + [""] }
        }
        func count(_ value: UInt64) -> String? { value == 0 ? nil : String(value) }
        for (title, sizes) in [
            ("bytes of a key", \TableHistograms.keyBytes), ("bytes of a value", \.valueBytes),
            ("versions of a key", \.versionsPerKey),
        ] {
            section(
                title,
                (0...64).map { bucket in
                    (Self.span(bucket), { count($0[keyPath: sizes].counts[bucket]) })
                })
        }
        section(
            "age of versions",
            [("yet to come", { count($0.futureVersions) })]
                + Self.ageNames.enumerated().map { place, name in
                    (name, { count($0.ages[place]) })
                })
        section(
            "tombstones in a block",
            Self.densityNames.enumerated().map { place, name in
                (name, { count($0.tombstoneDensity[place]) })
            })
        for (codec, name) in Self.codecs {
            section(
                "blocks, codec \(name)",
                [
                    ("blocks", { $0.codecs[codec].map { String($0.blocks) } }),
                    ("bytes", { $0.codecs[codec].map { String($0.rawBytes) } }),
                    ("bytes stored", { $0.codecs[codec].map { String($0.storedBytes) } }),
                    ("ratio", { $0.codecs[codec].map { Self.decimals(Self.ratio($0), 2) } }),
                ])
        }
        func filter(_ body: @escaping (FilterMeasure) -> String) -> (TableHistograms) -> String? {
            { $0.filter.asked == 0 ? nil : body($0.filter) }
        }
        section(
            "filters",
            [
                ("bits per key", filter { Self.decimals($0.bitsPerKey, 1) }),
                ("false positives", filter { Self.decimals($0.rate * 100, 2) + " %" }),
                ("expected", filter { Self.decimals($0.nominalRate * 100, 2) + " %" }),
            ])
        lines.append("ages are as of \(ToolTime.format(moment))")
        return lines
    }

    private static func row(_ label: String, _ cells: [String]) -> String {
        let pad = String(repeating: " ", count: max(0, 24 - label.count))
        return label + pad
            + cells.map { String(repeating: " ", count: max(1, 14 - $0.count)) + $0 }.joined()
    }

    private static func span(_ bucket: Int) -> String {
        let bounds = SizeHistogram.bounds(bucket)
        let last = bounds.below - 1
        return bounds.from == last ? "\(last)" : "\(bounds.from) to \(last)"
    }

    private static func ratio(_ use: TableHistograms.CodecUse) -> Double {
        guard use.storedBytes > 0 else { return 1 }
        return (Double(use.rawBytes) / Double(use.storedBytes) * 1000).rounded() / 1000
    }

    private static func decimals(_ value: Double, _ digits: Int) -> String {
        let scale = digits == 1 ? 10.0 : 100.0
        let scaled = Int64((value * scale).rounded())
        let (whole, rest) = scaled.quotientAndRemainder(dividingBy: Int64(scale))
        let text = String(rest)
        return "\(whole)." + String(repeating: "0", count: digits - text.count) + text
    }
}
