public import AviaryGraph
import AviaryImage
import AviaryTensor

/// The training images, in memory, and the batches drawn from them.
///
/// A batch depends only on the seed and the step: each sample has its own random stream. Any number
/// of threads or processes, and a resumed training, therefore draw the same batches. A sample is a
/// patch at a position in an image; every position of every image is equally likely, so large
/// images are seen more often than small ones.
///
/// The network's input is prepared as for `run` and `eval`: originals cropped to a multiple of the
/// scale, downscaled by MATLAB's `imresize` and rounded to 8 bits; with the colours, range, mean
/// and deviation of its `ImageSpec`; enlarged bicubically, without rounding, if it expects that. Of
/// a colour image, a gray network is given one channel.
public struct TrainingSet: Sendable {
  /// An image that is left out.
  public struct Skipped: Hashable, Sendable {
    /// The target's path within its folder.
    public var name: String
    /// What is wrong, in one line.
    public var reason: String
  }

  /// The most memory that images may take, in bytes, at one byte per sample: 4 GiB.
  public static let memoryLimit = 1 << 32

  /// How input and target patches correspond.
  public let geometry: PatchGeometry
  /// The images that are left out, by name.
  public let skipped: [Skipped]
  /// The SHA-256, in hexadecimal, of the names and contents of all files used and of how they are
  /// processed: independent of where the folders are.
  public let fingerprint: String
  /// The number of images.
  public var imageCount: Int { pairs.count }
  /// The number of patch positions in all images.
  public var placeCount: Int { ends[ends.count - 1] }
  /// How batches are drawn.
  let recipe: BatchRecipe

  private let data: DataRecipe
  private let picture: ImageSpec
  private let seed: UInt64
  private let pairs: [ImagePair]
  /// The number of positions in all images up to and including each.
  private let ends: [Int]

  /// Reads the images.
  ///
  /// - Parameters:
  ///   - image: the network's image description.
  ///   - geometry: of the network and the patches.
  ///   - seed: the seed of all random numbers.
  ///   - memoryLimit: the most bytes that images may take.
  ///   - progress: called with the number of images read, and their total.
  /// - Throws: `TrainingError.recipe` for a strength or a size out of range; `.data` for a folder
  ///   that is missing or has no images, for more unusable images than the recipe allows, for an
  ///   image whose partner is missing or has the wrong size, and for images beyond the memory
  ///   limit.
  public init(
    _ data: DataRecipe, _ recipe: BatchRecipe, picture: ImageSpec, geometry: PatchGeometry,
    seed: UInt64, memoryLimit: Int = TrainingSet.memoryLimit,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(TrainingError) {
    try data.check()
    guard 1...1 << 16 ~= recipe.size else {
      throw .recipe(field: "batch.size", expected: "1 to 65536", found: "\(recipe.size)")
    }
    var loading = ImageLoading(data, geometry, memoryLimit: memoryLimit)
    try loading.load(progress)
    pairs = loading.pairs
    skipped = loading.skipped
    fingerprint = loading.fingerprint
    var ends: [Int] = []
    for pair in pairs {
      // At most 2^32 samples in all: no overflow.
      let places =
        geometry.places(along: pair.target.width) * geometry.places(along: pair.target.height)
      ends.append((ends.last ?? 0) + places)
    }
    self.ends = ends
    self.data = data
    self.recipe = recipe
    self.picture = picture
    self.geometry = geometry
    self.seed = seed
  }

  /// The batch of a step, or one process's part of it.
  ///
  /// - Parameters:
  ///   - rank: which of `ranks` parts, as equal as possible: samples `rank * size / ranks` up to
  ///     `(rank + 1) * size / ranks`.
  /// - Throws: `TrainingError.data` if a patch cannot be made for lack of memory.
  public func batch(
    step: Int, rank: Int = 0, of ranks: Int = 1
  ) throws(TrainingError) -> Batch {
    let samples = rank * recipe.size / ranks..<(rank + 1) * recipe.size / ranks
    let channels = picture.colour.channels
    do {
      var batch = Batch(
        input: try Tensor(zeros: [samples.count, channels, geometry.side, geometry.side]),
        target: try Tensor(
          zeros: [samples.count, channels, geometry.outputHeight, geometry.outputWidth]))
      for sample in samples {
        try draw(step: step, sample: sample, at: sample - samples.lowerBound, into: &batch)
      }
      return batch
    } catch {
      throw .data(path: data.targets, expected: "batch \(step)", found: "\(error)")
    }
  }

  /// The seed's stream for batches: the letters "data".
  private static let purpose: UInt64 = 0x6461_7461

  private func draw(
    step: Int, sample: Int, at position: Int, into batch: inout Batch
  ) throws(ImageError) {
    var generator = SeededGenerator(
      seed: seed, TrainingSet.purpose, UInt64(bitPattern: Int64(step)), UInt64(sample))
    let place = generator.integer(below: placeCount)
    // Find the first image whose positions end after this one.
    var (low, high) = (0, pairs.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if ends[middle] > place { high = middle } else { low = middle + 1 }
    }
    let pair = pairs[low]
    let (row, column) = (place - (low > 0 ? ends[low - 1] : 0)).quotientAndRemainder(
      dividingBy: geometry.places(along: pair.target.width))
    let augmentation = Augmentation(recipe, using: &generator)
    let patch = try pair.patch(
      x: column + geometry.first, y: row + geometry.first, geometry, picture.colour, augmentation,
      data.degradations, using: &generator)
    write(patch, augmentation, at: position, into: &batch)
  }
}

// MARK: - Into tensors

extension TrainingSet {
  /// Writes a patch to its place in the batch, rotated, in the network's value range.
  private func write(
    _ patch: PatchPair, _ augmentation: Augmentation, at position: Int, into batch: inout Batch
  ) {
    let (side, excess, lead) = (geometry.side, geometry.excess, geometry.lead)
    let (height, width) = (geometry.outputHeight, geometry.outputWidth)
    copy(
      patch.input, augmentation.layout(side: side, margin: 0), rows: 0..<side, columns: 0..<side,
      to: &batch.input, at: position)
    copy(
      patch.target, augmentation.layout(side: side * geometry.ratio, margin: excess),
      rows: lead.rows..<lead.rows + height, columns: lead.columns..<lead.columns + width,
      to: &batch.target, at: position)
    guard picture.output != .picture else { return }
    // The sign of what the network adds to the input to give the target.
    let sign: Float = picture.output == .residual ? 1 : -1
    let channels = patch.input.channels
    unsafe batch.target.withMutableFloats { target in
      unsafe batch.input.withFloats { input in
        for plane in position * channels..<(position + 1) * channels {
          for row in 0..<height {
            let from = (plane * side + row + lead.rows) * side + lead.columns
            let to = (plane * height + row) * width
            for column in 0..<width {
              unsafe target[to + column] = sign * (target[to + column] - input[from + column])
            }
          }
        }
      }
    }
  }

  /// Copies a part of a rotated square to a sample of a batch.
  private func copy(
    _ image: Image, _ layout: (origin: Int, rowStep: Int, columnStep: Int), rows: Range<Int>,
    columns: Range<Int>, to tensor: inout Tensor, at position: Int
  ) {
    let (channels, planeSize) = (image.channels, image.width * image.height)
    unsafe tensor.withMutableFloats { target in
      unsafe image.withFloats { source in
        var to = position * channels * rows.count * columns.count
        for plane in 0..<channels {
          let (factor, offset) = picture.scaling(channel: plane)
          for row in rows {
            var from =
              plane * planeSize + layout.origin + row * layout.rowStep
              + columns.lowerBound * layout.columnStep
            for _ in 0..<columns.count {
              unsafe target[to] = source[from] * factor + offset
              from += layout.columnStep
              to += 1
            }
          }
        }
      }
    }
  }
}
