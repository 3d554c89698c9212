import Testing

@testable import FalconStorage
@testable import FalconToolKit

/// The table of the most written keys.
struct WALTopKeysTests {
    private struct Known {
        var count = 1
        var bytes: Int
        /// Met a second time.
        var isShown = false
    }

    /// The same, as plainly as it can be written.
    @Test(arguments: [71, 72] as [UInt64])
    func theTableCountsAsADictionaryDoes(_ seed: UInt64) {
        print("theTableCountsAsADictionaryDoes: seed \(seed)")
        let top = WALTopKeys()
        var known: [UInt64: Known] = [:]
        var error = 0
        var random = SplitMix64(seed: seed)
        for step in 0..<120_000 {
            let key = random.next() % (step % 3 == 0 ? 500 : 40_000)
            let bytes = Int(random.next() % 100)
            withUnsafeBytes(of: key.bigEndian) { top.add($0, valueBytes: bytes) }
            if var entry = known[key] {
                entry.count += 1
                entry.bytes += bytes
                entry.isShown = true
                known[key] = entry
                continue
            }
            if known.count >= WALTopKeys.capacity {
                error += 1
                known = known.filter { $0.value.count > 1 }
                for key in known.keys { known[key]?.count -= 1 }
            }
            known[key] = Known(bytes: bytes)
        }
        #expect(top.total == 120_000)
        #expect(top.error == error)
        #expect(error > 0, "the table was to be full")
        let expected = known.filter(\.value.isShown).sorted { a, b in
            a.value.count != b.value.count ? a.value.count > b.value.count : a.key < b.key
        }
        let found = top.top(.max)
        #expect(found.count == expected.count)
        for (entry, wanted) in zip(found, expected) {
            #expect(entry.key == withUnsafeBytes(of: wanted.key.bigEndian) { Array($0) })
            #expect(entry.count == wanted.value.count)
            #expect(entry.bytes == wanted.value.bytes)
        }
    }
}
