import CFalconPlatform

/// A table's whole filter, for checking each key against it. Pages that are damaged deny nothing.
final class LoadedFilter {
    @exclusivity(unchecked)
    private var pages: [(handle: BlockHandle, bytes: UnsafeRawBufferPointer)] = []
    private let layout: FilterPages

    /// - Parameter load: Loads a block; false: it is damaged, and reported.
    init(_ footer: TableFooter, load: (BlockHandle, inout BlockPin) -> Bool) {
        layout = footer.filterPages
        let handles =
            layout.lines == 0
            ? [footer.filter] : (0..<layout.count).map { layout.handle($0) }
        for handle in handles {
            var pin = BlockPin()
            let isSound = load(handle, &pin)
            pages.append((handle, (isSound ? pin.takeOwn() : nil) ?? BlockPin.none))
        }
    }

    deinit {
        for page in pages {
            UnsafeMutableRawPointer(mutating: page.bytes.baseAddress)?.deallocate()
        }
    }

    /// The page that denies a key of this hash, or is not what the footer says; nil: none does.
    func page(denying hash: UInt64) -> BlockHandle? {
        if layout.lines == 0 {
            guard let (handle, bytes) = pages.first, let base = bytes.baseAddress else {
                return nil
            }
            return BloomFilter.mayContain(base, hash) ? nil : handle
        }
        let place = layout.place(hash)
        guard let base = pages[place.page].bytes.baseAddress else { return nil }
        let size = BloomFilter.headerBytes + 64 * layout.lineCount(place.page)
        let passes =
            pages[place.page].bytes.count == size
            && BloomFilter.mayContain(base, hash, line: place.line)
        return passes ? nil : pages[place.page].handle
    }

    /// Has the line of a hash that is asked for soon brought into the cache.
    @inline(__always)
    func prefetch(_ hash: UInt64) {
        if layout.lines == 0 {
            guard let base = pages.first?.bytes.baseAddress else { return }
            let lines = base.loadUnaligned(as: UInt32.self)
            falcon_prefetch(base + (BloomFilter.headerBytes + 64 * BloomFilter.line(hash, lines)))
        } else {
            let place = layout.place(hash)
            guard let base = pages[place.page].bytes.baseAddress else { return }
            falcon_prefetch(base + (BloomFilter.headerBytes + 64 * place.line))
        }
    }

    /// What the filter says of itself; nil when a part of it is damaged. Each page says the same of the
    /// whole filter's keys.
    var shape: BloomFilter.Shape? {
        guard let first = pages.first?.bytes, first.count >= BloomFilter.headerBytes,
            pages.allSatisfy({ $0.bytes.baseAddress != nil })
        else { return nil }
        let lines = first.loadUnaligned(as: UInt32.self)
        return BloomFilter.Shape(
            lines: layout.lines == 0 ? lines : layout.lines,
            probes: first.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
            keys: first.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
}
