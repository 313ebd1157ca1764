package import CHDF5
import Synchronization

/// The one door to libhdf5.
///
/// The library may be built without thread safety, and then nothing in it may run twice at a time:
/// every call goes through `check` or `release`.
package enum HDF5 {
  private static let lock = Mutex<Bool>(false)

  /// Runs a call of the library and throws if its status is negative.
  ///
  /// - Parameter part: what inside the file the call is about.
  package static func check<Status: SignedInteger>(
    _ part: String, _ body: () -> Status
  ) throws(HDF5Error) -> Status {
    let (status, message) = lock.withLock { isReady in
      prepare(&isReady)
      let status = body()
      return (status, status < 0 ? lastError() : "")
    }
    guard status >= 0 else { throw .damaged(part: part, reason: message) }
    return status
  }

  /// Gives an identifier back.
  package static func release(_ id: hid_t) {
    lock.withLock { _ in _ = H5Idec_ref(id) }
  }

  private static func prepare(_ isReady: inout Bool) {
    // Before anything else: no tidying up when the process ends. Nothing needs it, and after a
    // damaged file the library would go round in circles and say so.
    if !isReady { H5dont_atexit() }
    // Per thread, hence each time.
    chdf5_silence()
    // A file may name a filter that the library would load as a plugin from a search path: never.
    if !isReady { H5PLset_loading_state(0) }
    isReady = true
  }

  private static func lastError() -> String {
    var text = [CChar](repeating: 0, count: 1024)
    unsafe chdf5_error(&text, text.count)
    let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let message = String(decoding: bytes, as: UTF8.self).filter { !$0.isNewline }
    return message.isEmpty ? "HDF5 gives no reason" : message
  }
}
