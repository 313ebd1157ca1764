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

/// One identifier of the library (a file, group, data set, attribute, type, space or property
/// list), given back when it goes out of scope.
package struct HDF5Handle: ~Copyable, Sendable {
  package let id: hid_t

  /// Takes over the identifier that `body` makes.
  package init(_ part: String, _ body: () -> hid_t) throws(HDF5Error) {
    id = try HDF5.check(part, body)
  }

  deinit { HDF5.release(id) }
}

/// What is the matter inside an HDF5 file. Who knows the file's path says it to the user.
package enum HDF5Error: Error, Hashable, Sendable {
  /// The file contradicts itself, or the library's own words for what it cannot do.
  case damaged(part: String, reason: String)
  /// Sound, and not read here; `what` completes "… is not supported".
  case unsupported(what: String)
  /// A size that the file cannot hold, or that no file of weights needs.
  case tooLarge(part: String, limit: Int, found: Int)

  /// The part and what is the matter with it, for a message about writing.
  package var reason: String {
    switch self {
    case .damaged(let part, let reason): "\(part): \(reason)"
    case .unsupported(let what): "\(what) is not supported"
    case .tooLarge(let part, let limit, let found):
      "\(part): \(found) exceeds the limit of \(limit)"
    }
  }
}

/// How long a reader may compute.
package enum HDF5Deadline {
  /// Seconds for the walk through a file, or for so many bytes of elements at 16 MB/s, which even
  /// deflate in small chunks surpasses.
  package static func seconds(elements byteCount: Int) -> Int { 10 + byteCount / (16 << 20) }
}

/// What a file may have, far above what files of weights do have.
package enum HDF5Limits {
  /// How deep groups may nest.
  package static let depth = 64
  /// The bytes of one text or attribute; Keras' longest attributes are below 64 KiB, and split.
  package static let text = 16 << 20
  /// The bytes of all texts and attributes together.
  package static let texts = 64 << 20

  /// The groups and data sets of a file of so many bytes: each takes more than 16, unless it is
  /// reached by many links.
  package static func objects(_ byteCount: Int) -> Int { min(1 << 18, byteCount / 16 + 16) }

  /// The bytes of an answer about a file of so many.
  package static func answer(_ byteCount: Int) -> Int {
    min(256 << 20, (1 << 20) + min(byteCount, 256 << 20) * 16)
  }

  /// The bytes of a data set's elements.
  ///
  /// - Throws: `HDF5Error.tooLarge` for more than the file can hold. Deflate makes at most 1032
  ///   bytes of one; elements that were never written count as zeros, which is no reason to hold
  ///   more than a little memory.
  package static func byteCount(
    _ shape: [Int], _ elementSize: Int, stored: Int, isFiltered: Bool, part: String
  ) throws(HDF5Error) -> Int {
    let (most, overflow) = stored.multipliedReportingOverflow(by: isFiltered ? 1032 : 1)
    let limit = (overflow ? .max : min(most, 1 << 33)) + 1 << 20
    var bytes = elementSize
    for dimension in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: max(dimension, 1))
      bytes = overflow ? .max : product
    }
    guard bytes <= limit else {
      throw .tooLarge(part: "\(part), shape \(shape), bytes", limit: limit, found: bytes)
    }
    return shape.contains(0) ? 0 : bytes
  }
}
