import FalconStorage

extension SSTVerify.KeyDisplay {
    /// A range of keys, as much of it as may be shown.
    func range(_ lower: [UInt8]?, _ upper: [UInt8]?) -> String? {
        if lower == nil && upper == nil { return nil }
        // The first 8 bytes are database and storage id: they name the table, not its data.
        var text = "keys from \(show(lower, "the first")) to \(show(upper, "the last"))"
        let ids = Set(
            [lower, upper].compactMap { $0 }.filter { $0.count >= 8 }.map { Array($0[..<8]) })
        for id in ids.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let database = id[0..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let storage = id[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            text += "; database \(database) storage \(storage)"
        }
        return text
    }

    private func show(_ key: [UInt8]?, _ open: String) -> String {
        guard let key else { return open }
        return key.withUnsafeBytes { bytes in
            switch self {
            case .none: "key of \(key.count) bytes"
            case .hash: "key #" + WALDataPrinter.hash(bytes)
            case .hex, .row: WALDataPrinter.hex(bytes)
            case .text: WALDataPrinter.text(bytes)
            }
        }
    }
}
