"""Writes the SavedModels in this folder. Made with tensorflow-cpu 2.21.0 and its keras 3.15.1: python make.py

estimator  as tf.estimator exported for serving: variables of TensorFlow 1, one serialized tf.Example in
keras3     model.export() of Keras 3, inputs and outputs by name, a lookup table, warm-up
examples   TensorFlow 2 that parses tf.Example inside a function, weights in several shards
python     calls back into Python, half precision, any rank
"""
import os

import keras
import tensorflow as tf

v1 = tf.compat.v1
here = os.path.dirname(os.path.abspath(__file__))
FEATURES = {'LOAN': tf.io.FixedLenFeature([1], tf.float32), 'JOB': tf.io.VarLenFeature(tf.string)}


def estimator():
    with tf.Graph().as_default() as graph:
        examples = v1.placeholder(tf.string, [None], name='input_example_tensor')
        loan = tf.io.parse_example(examples, FEATURES)['LOAN']
        score = tf.sigmoid(tf.matmul(loan, v1.get_variable('w', [1, 1])))
        info = v1.saved_model.utils.build_tensor_info

        def signature(method, inputs, outputs):
            tensors = ({inputs: info(examples)}, {outputs: info(score)})
            return v1.saved_model.signature_def_utils.build_signature_def(*tensors, 'tensorflow/serving/' + method)

        with v1.Session(graph=graph) as session:
            session.run(v1.global_variables_initializer())
            builder = v1.saved_model.builder.SavedModelBuilder(os.path.join(here, 'estimator'))
            signatures = {
                'serving_default': signature('classify', 'inputs', 'scores'),
                'regression': signature('regress', 'inputs', 'outputs'),
                'predict': signature('predict', 'examples', 'P_BAD1'),
            }
            builder.add_meta_graph_and_variables(session, ['serve'], signatures, strip_default_attrs=True)
            builder.save()


def keras3():
    loan, job = keras.Input((1,), name='LOAN'), keras.Input((1,), name='JOB', dtype='string')
    jobs = keras.layers.StringLookup(vocabulary=['Mgr', 'Other'], output_mode='one_hot')(job)
    score = keras.layers.Dense(1, activation='sigmoid', name='P_BAD1')(keras.layers.Concatenate()([loan, jobs]))
    model = keras.Model({'LOAN': loan, 'JOB': job}, {'P_BAD1': score})
    folder = os.path.join(here, 'keras3')
    model.export(folder, format='tf_saved_model', verbose=False)
    os.makedirs(os.path.join(folder, 'assets.extra'))
    with tf.io.TFRecordWriter(os.path.join(folder, 'assets.extra', 'tf_serving_warmup_requests')) as records:
        # PredictionLog { predict_log { request { model_spec { name: "m" } } } }, encoded by hand: its messages are not in TensorFlow.
        for _ in range(3):
            records.write(b'\x32\x07\x0a\x05\x0a\x03\x0a\x01m')


def examples():
    class Model(tf.Module):
        def __init__(self):
            self.weights = [tf.Variable(tf.ones([100]), name='w%d' % i) for i in range(3)]

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name='examples')])
        def serve(self, examples):
            weight = tf.add_n([tf.reduce_sum(one) for one in self.weights])
            return {'P_BAD1': tf.io.parse_example(examples, FEATURES)['LOAN'] * weight}

    model = Model()
    policy = tf.train.experimental.MaxShardSizePolicy(max_shard_size=500)
    options = tf.saved_model.SaveOptions(experimental_sharding_callback=policy)
    folder = os.path.join(here, 'examples')
    tf.saved_model.save(model, folder, signatures={'serving_default': model.serve}, options=options)


def python():
    class Model(tf.Module):
        def __init__(self):
            self.weights = tf.Variable(tf.zeros([10, 10], tf.bfloat16))

        @tf.function(input_signature=[tf.TensorSpec(None, tf.float16, name='x')])
        def serve(self, x):
            return {'y': tf.py_function(lambda z: z, [x], tf.float16)}

    model = Model()
    tf.saved_model.save(model, os.path.join(here, 'python'), signatures={'serving_default': model.serve})


for make in (estimator, keras3, examples, python):
    make()
