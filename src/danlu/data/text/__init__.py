"""Text: vocabularies, sequences of different length, and corpora for language models.

What a net is fed with, and what it can rely on. N is the batch size, T a number of tokens, V the vocabulary's size.

*All texts.* Tokens are numbers, int64 from 0 to V - 1: 0 is "<pad>" and stands for nothing, 1 is "<unk>", any token
that the training part lacks (or has fewer than `data.min_frequency` of). `Dataset.vocabulary` is that of the training
part alone, `len(data.vocabulary)` is V. `data.encode(text)` gives numbers, `data.decode(numbers)` text.

*Running text* (time-machine, wikitext-2, a .txt file): `task` is "language" and `outputs` is V. A batch is inputs
[N, T] and targets [N, T], the same tokens moved on by one: targets[:, t] is what comes after inputs[:, : t + 1]. A net
gives logits [N, T, V]; the loss is the cross-entropy over all N · T tokens, and its exponential the perplexity. T is
`data.steps` (35), the same for all batches but the last of an epoch, which may be shorter; how far back a gradient
reaches is therefore T.

With `data.partition` "sequential" (what is taken unless it says "random") the text is laid out in N rows, N the same
for all batches of an epoch, and `Dataset.continues` is True: row n of a batch goes on where row n of the batch before
ended, so the hidden state, detached, is carried from batch to batch, and set to zero where a part or an epoch begins.
Nothing but the place where the first row begins is shuffled. With "random" every row is a window of its own, in an
order drawn anew each epoch, `continues` is False, and each batch begins with a state of zero. Both are described in
https://d2l.ai/chapter_recurrent-neural-networks/language-model.html. The end of the text is held out: validation, then
test.

*Texts with a label* (names; a pair of texts and labels): `task` is "classification", `outputs` the number of classes. A
batch is inputs [N, T], padded with 0 behind the end to the T of the longest text of all, and class indices [N]. No text
is empty and no token of a text is 0, so lengths are `(inputs != 0).sum(1)`, all at least 1: what
`torch.nn.utils.rnn.pack_padded_sequence` wants.
"""
