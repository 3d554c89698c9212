import FalconSchema
import NIOCore

/// Cuts the byte stream of a client into messages.
///
/// It holds what has arrived and not been taken: input queues here, as bytes, while a request runs.
/// A length is believed only within its bounds; a message of an unknown type or an impossible length
/// means that the stream can no longer be followed.
struct FrontendDecoder {
    enum Item {
        case startup(StartupRequest)
        case message(FrontendMessage)
        /// The message was delimited but its body makes no sense; the stream goes on.
        case malformed(tag: UInt8, SQLError)
        /// The stream cannot be followed any more: say so, if there is someone to say it to, and close.
        case lost(SQLError)
        /// Not enough bytes yet.
        case incomplete
    }

    private var buffer: ByteBuffer?
    private var isStarted = false
    private var refusedEncryption: EncryptionKind?
    private let maximumMessageLength: Int

    init(maximumMessageLength: Int) {
        self.maximumMessageLength = max(
            maximumMessageLength, WireProtocol.maximumShortMessageLength)
    }

    /// Bytes received and not yet taken.
    var bufferedBytes: Int { buffer?.readableBytes ?? 0 }

    mutating func append(_ bytes: ByteBuffer) {
        guard var held = buffer, held.readableBytes > 0 else {
            buffer = bytes
            return
        }
        // The held storage is unique again once this variable is the only reference.
        buffer = nil
        var bytes = bytes
        if held.readerIndex > 1 << 16, held.readerIndex > held.readableBytes {
            held.discardReadBytes()
        }
        held.writeBuffer(&bytes)
        buffer = held
    }

    mutating func discardAll() { buffer = nil }

    mutating func next() -> Item {
        guard let held = buffer else { return .incomplete }
        let item: (Item, consumed: Int) = held.withUnsafeReadableBytes {
            isStarted ? Self.message(in: $0, maximum: maximumMessageLength) : startup(in: $0)
        }
        if item.consumed > 0 {
            if item.consumed == held.readableBytes {
                buffer = nil
            } else {
                buffer?.moveReaderIndex(forwardBy: item.consumed)
            }
        }
        switch item.0 {
        case .startup(.startup): isStarted = true
        case .lost: buffer = nil
        default: break
        }
        return item.0
    }

    /// After 'N' to an encryption request: as in PostgreSQL, the other kind may be asked for next, the
    /// same one not again.
    mutating func refuseEncryption(_ kind: EncryptionKind) { refusedEncryption = kind }

    private func startup(in bytes: UnsafeRawBufferPointer) -> (Item, consumed: Int) {
        guard bytes.count >= 4 else { return (.incomplete, 0) }
        let length = Int(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
        guard length >= WireProtocol.minimumStartupLength,
            length <= WireProtocol.maximumStartupLength
        else {
            return (
                .lost(
                    SQLError(
                        .protocolViolation, "invalid length of startup packet", severity: .fatal)),
                0
            )
        }
        guard bytes.count >= length else { return (.incomplete, 0) }
        do throws(SQLError) {
            let body = UnsafeRawBufferPointer(rebasing: bytes[4..<length])
            let request = try FrontendParser.parseStartup(
                body, refused: refusedEncryption)
            return (.startup(request), length)
        } catch {
            var fatal = error
            fatal.severity = .fatal
            return (.lost(fatal), length)
        }
    }

    private static func message(
        in bytes: UnsafeRawBufferPointer, maximum: Int
    ) -> (Item, consumed: Int) {
        guard let tag = bytes.first else { return (.incomplete, 0) }
        guard let allowsLongBody = FrontendParser.allowsLongBody(tag) else {
            return (lost("invalid frontend message type \(tag)"), 0)
        }
        guard bytes.count >= 5 else { return (.incomplete, 0) }
        let length = Int(
            UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
        guard length >= 4,
            length <= (allowsLongBody ? maximum : WireProtocol.maximumShortMessageLength)
        else { return (lost("invalid message length"), 0) }
        guard bytes.count > length else { return (.incomplete, 0) }
        do throws(SQLError) {
            let body = UnsafeRawBufferPointer(rebasing: bytes[5..<(length + 1)])
            return (.message(try FrontendParser.parse(tag: tag, body: body)), length + 1)
        } catch {
            return (.malformed(tag: tag, error), length + 1)
        }
    }

    private static func lost(_ message: String) -> Item {
        .lost(SQLError(.protocolViolation, message, severity: .fatal))
    }
}
