@testable import FalconToolKit

/// The table of most written keys, by names.
struct WALTopKeysProbe {
    private var keys = WALTopKeys()

    var error: Int { keys.error }

    mutating func add(_ name: String) {
        Array(name.utf8).withUnsafeBytes { keys.add($0, valueBytes: 1) }
    }

    func best(_ count: Int) -> [String] {
        keys.top(count).map { String(decoding: $0.key, as: UTF8.self) }
    }

    func count(_ name: String) -> Int {
        keys.top(.max).first { $0.key == Array(name.utf8) }?.count ?? 0
    }
}
