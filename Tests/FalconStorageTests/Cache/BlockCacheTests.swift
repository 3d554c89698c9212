import Testing

@testable import FalconStorage

@Suite struct BlockCacheTests {
    private func block(_ size: Int, _ byte: UInt8) -> UnsafeRawBufferPointer {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
        for index in 0..<size { bytes[index] = byte }
        return UnsafeRawBufferPointer(bytes)
    }

    @Test func keepsWhatFitsAndEvictsTheRest() {
        let cache = BlockCache(capacityBytes: 1 << 20)
        let uid = UID(high: 5, low: 6)
        var pin = BlockPin()
        for offset in 0..<2000 {
            cache.insert(uid, UInt64(offset), block(4096, UInt8(offset & 255)), &pin)
            #expect(pin.bytes.count == 4096)
            // The first block stays in use and so stays.
            #expect(cache.lookup(uid, 0, &pin), "at \(offset)")
            #expect(pin.bytes[17] == 0)
        }
        pin.release()
        #expect(cache.usedBytes <= 1 << 20)
        #expect(cache.usedBytes > 1 << 19)
        #expect(!cache.lookup(UID(high: 5, low: 7), 0, &pin))
        var kept = 0
        for offset in 0..<2000 where cache.lookup(uid, UInt64(offset), &pin) {
            kept += 1
            #expect(pin.bytes.allSatisfy { $0 == UInt8(offset & 255) })
        }
        #expect(kept > 100)
        pin.release()
    }

    @Test func pinnedBlocksSurviveAnyPressure() {
        let cache = BlockCache(capacityBytes: 64 << 10)
        let uid = UID(high: 1, low: 2)
        var held = BlockPin()
        cache.insert(uid, 1, block(1000, 9), &held)
        var pin = BlockPin()
        for offset in 2..<3000 { cache.insert(uid, UInt64(offset), block(1000, 1), &pin) }
        #expect(held.bytes.allSatisfy { $0 == 9 })
        pin.release()
        held.release()
    }

    @Test func capacityGoesDownAndUpAgain() {
        let cache = BlockCache(capacityBytes: 100_000, maximumBytes: 1_000_000)
        let uid = UID(high: 1, low: 2)
        var pin = BlockPin()
        func fill() {
            for offset in 0..<500 { cache.insert(uid, UInt64(offset), block(4000, 1), &pin) }
            pin.release()
        }
        fill()
        #expect((50_000...100_000).contains(cache.usedBytes))
        cache.setCapacity(800_000)
        fill()
        #expect((400_000...800_000).contains(cache.usedBytes))
        cache.setCapacity(20_000)
        #expect(cache.usedBytes <= 20_000)
        cache.setCapacity(2_000_000)
        #expect(cache.capacityBytes == 1_000_000)
    }

    @Test func hugeBlocksAndNoCapacity() {
        let cache = BlockCache(capacityBytes: 0)
        var pin = BlockPin()
        cache.insert(UID(high: 1, low: 2), 1, block(1000, 9), &pin)
        #expect(pin.bytes[999] == 9)
        #expect(!cache.lookup(UID(high: 1, low: 2), 1, &pin))
        #expect(cache.usedBytes == 0)
        pin.release()
    }

    /// Threads that look up, insert and evict in a small cache: each sees its own key's bytes only.
    @Test func manyThreads() async {
        let cache = BlockCache(capacityBytes: 200_000)
        await withTaskGroup(of: Int.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    var random = SeededRandom(seed: UInt64(thread))
                    var wrong = 0
                    var pin = BlockPin()
                    for _ in 0..<50_000 {
                        let number = random.below(300)
                        let uid = UID(high: UInt64(number % 3), low: 77)
                        let byte = UInt8(number & 255)
                        if !cache.lookup(uid, UInt64(number), &pin) {
                            cache.insert(uid, UInt64(number), self.block(1000, byte), &pin)
                        }
                        if pin.bytes.count != 1000 || pin.bytes[0] != byte || pin.bytes[999] != byte
                        {
                            wrong += 1
                        }
                    }
                    pin.release()
                    return wrong
                }
            }
            for await wrong in group { #expect(wrong == 0) }
        }
        #expect(cache.usedBytes <= 210_000)
        #expect(cache.hits > 0 && cache.misses > 0)
    }
}
