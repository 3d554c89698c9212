#if FALCON_TSAN
    @testable import FalconStorage

    /// The tests' locks, too, must be such that ThreadSanitizer understands them.
    typealias Mutex = FalconStorage.Mutex
#endif
