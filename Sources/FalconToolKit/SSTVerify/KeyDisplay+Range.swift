import FalconStorage

extension SSTVerify.KeyDisplay {
    /// A range of keys, as much of it as may be shown.
    func range(_ lower: [UInt8]?, _ upper: [UInt8]?) -> String? {
        if lower == nil && upper == nil { return nil }
        func show(_ key: [UInt8]?, _ open: String) -> String {
            guard let key else { return open }
            switch self {
            case .none: return "key of \(key.count) bytes"
            case .hash: return "key #" + FileNames.hex(key.withUnsafeBytes { Checksum.xxh3($0) })
            case .hex:
                return key.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
        }
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
}
