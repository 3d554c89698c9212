import CFalconPlatform
import Synchronization

/// Knows which calls of a file system are under way, and since when.
///
/// A call notes its begin in a slot of its thread and frees it at its end: no lock, some 40 ns. Whoever
/// wants to know looks through the slots.
final class StallWatch: @unchecked Sendable {
    private static let slotCount = 128
    private static let slotBytes = 64
    /// Per slot: 0: the clock at the begin, 0 when free; 8: file and operation.
    private let slots: UnsafeMutableRawPointer
    private let clock: any StorageClock
    private let names = Mutex<[UInt64: String]>([:])
    private let nextFile = Atomic<UInt64>(1)

    init(clock: any StorageClock) {
        self.clock = clock
        slots = .allocate(byteCount: Self.slotCount * Self.slotBytes, alignment: Self.slotBytes)
        slots.initializeMemory(as: UInt8.self, repeating: 0, count: Self.slotCount * Self.slotBytes)
    }

    deinit { slots.deallocate() }

    // MARK: - Files

    func register(_ path: String) -> UInt64 {
        let file = nextFile.wrappingAdd(1, ordering: .relaxed).oldValue
        names.withLock { $0[file] = path }
        return file
    }

    func unregister(_ file: UInt64) { names.withLock { $0[file] = nil } }

    // MARK: - Calls

    /// The slot that notes the call; nil when another thread's call has it: then the call goes unwatched.
    @inline(__always)
    func begin(_ file: UInt64, _ operation: FileOperation) -> UnsafeMutableRawPointer? {
        let index = Int(falcon_thread_ordinal()) & (Self.slotCount - 1)
        let slot = slots + index &* Self.slotBytes
        var free: UInt64 = 0
        guard falcon_cas_u64(slot, &free, max(clock.monotonicNanos(), 1)) else { return nil }
        falcon_store_release_u64(slot + 8, file << 8 | UInt64(operation.code))
        return slot
    }

    @inline(__always)
    func end(_ slot: UnsafeMutableRawPointer?) {
        guard let slot else { return }
        falcon_store_relaxed_u64(slot + 8, 0)
        falcon_store_release_u64(slot, 0)
    }

    /// Tells one call from others.
    struct Key: Hashable {
        var slot: Int
        var beganNanos: UInt64
    }
    struct Found {
        var key: Key
        var operation: StalledOperation
    }

    /// The calls that have lasted `nanos` or longer.
    func lasting(nanos: UInt64) -> [Found] {
        let now = clock.monotonicNanos()
        var found: [Found] = []
        for index in 0..<Self.slotCount {
            let slot = slots + index * Self.slotBytes
            let began = falcon_load_acquire_u64(slot)
            guard began > 0, now > began, now - began >= nanos else { continue }
            let what = falcon_load_acquire_u64(slot + 8)
            // Another call by now, or one that has not said yet what it is.
            guard falcon_load_acquire_u64(slot) == began, what != 0,
                let operation = FileOperation(code: UInt8(truncatingIfNeeded: what)),
                let path = names.withLock({ $0[what >> 8] })
            else { continue }
            found.append(
                Found(
                    key: Key(slot: index, beganNanos: began),
                    operation: StalledOperation(
                        operation: operation.rawValue, path: path, micros: (now - began) / 1000)))
        }
        return found
    }
}

extension FileOperation {
    fileprivate var code: UInt8 {
        switch self {
        case .read: 1
        case .write: 2
        case .sync: 3
        case .truncate: 4
        case .allocate: 5
        case .syncDirectory: 6
        default: 7
        }
    }
    fileprivate init?(code: UInt8) {
        switch code {
        case 1: self = .read
        case 2: self = .write
        case 3: self = .sync
        case 4: self = .truncate
        case 5: self = .allocate
        case 6: self = .syncDirectory
        default: return nil
        }
    }
}
