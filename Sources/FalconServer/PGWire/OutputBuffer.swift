import Glibc
import NIOCore

/// Bytes on their way to a client: one growing block per connection, used again after every flush.
///
/// Integers are written big-endian. A message is opened with ``beginMessage(_:)`` and closed with
/// ``endMessage(_:)``, which fills in its length.
struct OutputBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private(set) var count = 0
    private var capacity: Int
    /// What the block shrinks back to after a large result.
    private static let idleCapacity = 8 << 10

    init() {
        capacity = Self.idleCapacity
        base = Self.allocate(capacity)
    }

    deinit { free(base) }

    /// With malloc, since a large block grows without being copied.
    private static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
        guard let block = malloc(capacity) else { outOfMemory(capacity) }
        return block
    }

    private static func outOfMemory(_ capacity: Int) -> Never {
        ServerProcess.say("falcondb: no memory for \(capacity) bytes of output")
        abort()
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    mutating func removeAll() {
        count = 0
        if capacity > 32 * Self.idleCapacity {
            free(base)
            capacity = Self.idleCapacity
            base = Self.allocate(capacity)
        }
    }

    /// Everything, for the channel. What gathers between two calls is less than the largest message
    /// and a flush's worth, which a ByteBuffer holds (`ValueLimit`).
    mutating func takeAll(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: count)
        buffer.writeBytes(bytes)
        removeAll()
        return buffer
    }

    /// Takes back what was written after `count` was `mark`.
    mutating func truncate(to mark: Int) { count = min(count, mark) }

    @inline(__always)
    mutating func reserve(_ extra: Int) {
        if capacity &- count < extra { grow(extra) }
    }

    @inline(never)
    private mutating func grow(_ extra: Int) {
        let wanted = max(capacity * 2, count + extra)
        guard let block = realloc(base, wanted) else { Self.outOfMemory(wanted) }
        base = block
        capacity = wanted
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    @inline(__always)
    mutating func append<T: FixedWidthInteger & BitwiseCopyable>(integer value: T) {
        reserve(MemoryLayout<T>.size)
        base.storeBytes(of: value.bigEndian, toByteOffset: count, as: T.self)
        count &+= MemoryLayout<T>.size
    }

    @inline(__always)
    mutating func append(bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: start, byteCount: bytes.count)
        count &+= bytes.count
    }

    mutating func append(bytes: [UInt8]) { bytes.withUnsafeBytes { append(bytes: $0) } }

    /// The string's UTF-8, no terminator.
    @inline(__always)
    mutating func append(text: String) {
        var text = text
        text.withUTF8 { append(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// The string and a zero byte. Zero bytes inside are left out: they would end it early.
    mutating func append(zeroTerminated text: String) {
        var text = text
        text.withUTF8 { utf8 in
            if utf8.contains(0) {
                for byte in utf8 where byte != 0 { append(byte) }
            } else {
                append(bytes: UnsafeRawBufferPointer(utf8))
            }
        }
        append(0)
    }

    @inline(__always)
    mutating func beginMessage(_ tag: UInt8) -> Int {
        reserve(5)
        base.storeBytes(of: tag, toByteOffset: count, as: UInt8.self)
        count &+= 5
        return count &- 4
    }

    /// `mark` is what ``beginMessage(_:)`` returned.
    @inline(__always)
    mutating func endMessage(_ mark: Int) {
        patch(UInt32(truncatingIfNeeded: count &- mark), at: mark)
    }

    mutating func appendEmptyMessage(_ tag: UInt8) { endMessage(beginMessage(tag)) }

    /// Overwrites four bytes written before.
    @inline(__always)
    mutating func patch(_ value: UInt32, at offset: Int) {
        assert(offset >= 0 && offset + 4 <= count)
        base.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }

    /// A column value: its length word and its decimal digits.
    @inline(__always)
    mutating func appendColumn(decimal value: Int64) {
        reserve(24)
        let start = base + count
        let digits = Self.writeDecimal(value, to: start + 4)
        start.storeBytes(of: UInt32(truncatingIfNeeded: digits).bigEndian, as: UInt32.self)
        count &+= 4 &+ digits
    }

    /// A column value: its length word and its UTF-8.
    @inline(__always)
    mutating func appendColumn(text: String) {
        var text = text
        text.withUTF8 { utf8 in
            append(integer: UInt32(truncatingIfNeeded: utf8.count))
            append(bytes: UnsafeRawBufferPointer(utf8))
        }
    }

    /// Writes at most 20 bytes; returns how many.
    private static func writeDecimal(_ value: Int64, to target: UnsafeMutableRawPointer) -> Int {
        var rest = value.magnitude
        var digits = 1
        var bound: UInt64 = 10
        while digits < 19, rest >= bound {
            digits &+= 1
            bound &*= 10
        }
        var length = digits
        if value < 0 {
            target.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
            length &+= 1
        }
        var offset = length
        repeat {
            offset &-= 1
            let digit = UInt8(truncatingIfNeeded: rest % 10) &+ UInt8(ascii: "0")
            target.storeBytes(of: digit, toByteOffset: offset, as: UInt8.self)
            rest /= 10
        } while rest != 0
        return length
    }
}
