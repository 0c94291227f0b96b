"""Which of PostgreSQL's own functions are proven harmless?

The steady ones are immutable or stable on the server: a test asks PostgreSQL 15 and 18. Those that run a text they are
given, read files, end sessions, take locks, change settings or tell secrets are on no list, whatever the server says
of them: `query_to_xml`, `table_to_xml`, `ts_stat`, `pg_read_file`, `dblink`, `lo_import`, `set_config` and the like.
"""

from __future__ import annotations

from mcp_migrate.rules.postgresql.allowed import word_set

GRAMMAR = word_set("coalesce current_date current_timestamp greatest least localtimestamp nullif trim")
"""Written like functions, made by the grammar; PostgreSQL lists none of them."""

STEADY_FUNCTIONS = GRAMMAR | word_set(
    """
    abs acldefault acos acosd acosh age any_value array_agg array_append array_cat array_dims array_fill array_length
    array_lower array_ndims array_position array_positions array_prepend array_remove array_replace array_reverse
    array_sort array_to_json array_to_string array_upper array_to_tsvector ascii asin asind asinh atan atan2 atan2d
    atand atanh avg bit_and bit_count bit_length bit_or bit_xor bool_and bool_or bound_box box btrim cardinality
    casefold cbrt ceil ceiling center char_length character_length chr circle col_description concat concat_ws convert
    convert_from convert_to corr cos cosd cosh cot cotd count covar_pop covar_samp crc32 crc32c cume_dist
    current_database current_schema current_schemas current_setting current_user date date_add date_bin date_part
    date_subtract date_trunc decode degrees dense_rank diagonal diameter div encode enum_first enum_last enum_range erf
    erfc every exp extract factorial first_value float4 float8 floor format format_type gamma gcd generate_series
    generate_subscripts get_bit get_byte get_current_ts_config getdatabaseencoding
    has_any_column_privilege has_column_privilege has_database_privilege has_foreign_data_wrapper_privilege
    has_function_privilege has_language_privilege has_schema_privilege has_sequence_privilege has_server_privilege
    has_table_privilege has_tablespace_privilege has_type_privilege height host hostmask icu_unicode_version
    inet_client_addr inet_client_port inet_merge inet_same_family inet_server_addr inet_server_port initcap int2 int4
    int8 interval is_normalized isclosed isempty isfinite ishorizontal isopen isparallel isperp isvertical
    json_agg json_agg_strict json_array_element json_array_element_text json_array_elements json_array_elements_text
    json_array_length json_build_array json_build_object json_each json_each_text json_extract_path
    json_extract_path_text json_object json_object_agg json_object_agg_strict json_object_agg_unique json_object_keys
    json_populate_record json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_to_tsvector
    json_typeof jsonb_agg jsonb_agg_strict jsonb_array_element jsonb_array_element_text jsonb_array_elements
    jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_concat jsonb_contains
    jsonb_contained jsonb_delete jsonb_delete_path jsonb_each jsonb_each_text jsonb_exists jsonb_exists_all
    jsonb_exists_any jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_agg
    jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz
    jsonb_path_match jsonb_path_match_tz jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz
    jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record
    jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset
    jsonb_to_tsvector jsonb_typeof justify_days justify_hours justify_interval lag last_value lcm lead left length
    lgamma like like_escape line ln log log10 lower lower_inc lower_inf lpad lseg ltrim make_date make_interval
    make_time make_timestamp make_timestamptz makeaclitem masklen max md5 min min_scale mod mode netmask network
    normalize notlike now npoints nth_value ntile num_nonnulls num_nulls numeric numnode obj_description octet_length
    overlaps overlay parse_ident path pclose percent_rank percentile_cont percentile_disc pg_backend_pid pg_basetype
    pg_char_to_encoding pg_client_encoding pg_collation_for pg_collation_is_visible pg_column_compression
    pg_column_size pg_conversion_is_visible pg_describe_object pg_encoding_to_char pg_function_is_visible
    pg_get_constraintdef pg_get_expr pg_get_function_arguments pg_get_function_identity_arguments
    pg_get_function_result pg_get_function_sqlbody pg_get_functiondef pg_get_indexdef pg_get_keywords
    pg_get_object_address pg_get_partition_constraintdef pg_get_partkeydef pg_get_ruledef pg_get_serial_sequence
    pg_get_statisticsobjdef pg_get_statisticsobjdef_columns pg_get_statisticsobjdef_expressions pg_get_triggerdef
    pg_get_userbyid pg_get_viewdef pg_has_role pg_identify_object pg_identify_object_as_address
    pg_index_column_has_property pg_index_has_property pg_indexam_has_property pg_is_other_temp_schema
    pg_my_temp_schema pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible
    pg_partition_root pg_postmaster_start_time pg_relation_filenode pg_size_bytes pg_size_pretty
    pg_statistics_obj_is_visible pg_table_is_visible pg_trigger_depth pg_ts_config_is_visible pg_type_is_visible
    pg_typeof phraseto_tsquery pi plainto_tsquery point polygon popen position pow power querytree quote_ident
    quote_literal quote_nullable radians radius range_agg range_intersect_agg range_merge rank regexp_count
    regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table
    regexp_substr regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat
    replace reverse right round row_number row_security_active row_to_json rpad rtrim scale session_user set_bit
    set_byte set_masklen setweight sha224 sha256 sha384 sha512 shobj_description sign similar_escape
    similar_to_escape sin sind sinh slope split_part sqrt starts_with statement_timestamp stddev stddev_pop
    stddev_samp string_agg string_to_array string_to_table strip strpos substr substring sum system_user tan tand
    tanh text time timestamp timestamptz timezone to_ascii to_bin to_char to_date to_hex to_json to_jsonb to_number
    to_oct to_regclass to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure
    to_regrole to_regtype to_regtypemod to_timestamp to_tsquery to_tsvector transaction_timestamp translate
    trim_array trim_scale trunc ts_delete ts_filter ts_headline ts_rank ts_rank_cd tsquery_phrase tsvector_to_array
    txid_current txid_current_if_assigned txid_current_snapshot txid_visible_in_snapshot unicode_assigned
    unicode_version unistr unnest upper upper_inc upper_inf uuid_extract_timestamp uuid_extract_version var_pop
    var_samp variance version websearch_to_tsquery width width_bucket xml_is_well_formed xmlagg xmlcomment xmlexists
    xmltext xpath xpath_exists
    """
)

FRESH_FUNCTIONS = word_set(
    "array_sample array_shuffle clock_timestamp gen_random_uuid random random_normal timeofday uuidv4 uuidv7"
)
"""Harmless, but another value for each row."""

TELLING = word_set(
    "currval lastval pg_database_size pg_indexes_size pg_is_in_recovery pg_partition_ancestors pg_partition_tree"
    " pg_relation_size pg_table_size pg_tablespace_size pg_total_relation_size"
)
"""Volatile on the server because what they tell changes; they tell it and do nothing else."""

COUNTERS = word_set("nextval setval")
"""Change a sequence: told as a change of data."""

RISKY = word_set(
    """
    amvalidate bernoulli brin_desummarize_range brin_summarize_new_values brin_summarize_range brinhandler bthandler
    current_query currtid currtid2 cursor_to_xml cursor_to_xmlschema database_to_xml database_to_xml_and_xmlschema
    database_to_xmlschema dsnowball_init dsnowball_lexize fmgr_c_validator fmgr_internal_validator
    fmgr_sql_validator gin_clean_pending_list ginhandler gisthandler hashhandler heap_tableam_handler loread lowrite
    plpgsql_call_handler plpgsql_inline_handler plpgsql_validator postgresql_fdw_validator query_to_xml
    query_to_xml_and_xmlschema query_to_xmlschema schema_to_xml schema_to_xml_and_xmlschema schema_to_xmlschema
    set_config setseed spghandler suppress_redundant_updates_trigger system table_to_xml
    table_to_xml_and_xmlschema table_to_xmlschema ts_rewrite ts_stat tsvector_update_trigger
    tsvector_update_trigger_column txid_status unique_key_recheck
    """
)
"""PostgreSQL's own that are proven harmless for nobody: a function of the plan with such a name hides nothing."""

_RISKY_STARTS = ("pg_", "lo_", "binary_upgrade_", "RI_")


def may_be_risky(name: str) -> bool:
    """Whether PostgreSQL may have a function of that name that is not harmless. It is found before any other."""
    harmless = name in STEADY_FUNCTIONS or name in FRESH_FUNCTIONS or name in TELLING
    return not harmless and (name in RISKY or name.startswith(_RISKY_STARTS))


OF_EXTENSIONS = {
    function: extension
    for extension, functions in {
        "uuid-ossp": "uuid_generate_v1 uuid_generate_v1mc uuid_generate_v3 uuid_generate_v4 uuid_generate_v5 uuid_nil"
        " uuid_ns_dns uuid_ns_url uuid_ns_oid uuid_ns_x500",
        "pgcrypto": "gen_salt crypt digest hmac gen_random_bytes encrypt decrypt pgp_sym_encrypt pgp_sym_decrypt",
        "pg_trgm": "similarity word_similarity strict_word_similarity show_trgm",
        "unaccent": "unaccent",
        "fuzzystrmatch": "soundex difference levenshtein metaphone dmetaphone",
        "hstore": "hstore akeys avals hstore_to_json hstore_to_jsonb",
        "ltree": "nlevel subpath subltree text2ltree ltree2text lca",
    }.items()
    for function in functions.split()
}
"""Harmless functions of well-known extensions, where these are installed; some give another value for each row."""

HARMLESS_EXTENSIONS = word_set(
    "plpgsql citext pg_trgm pgcrypto uuid-ossp hstore ltree intarray unaccent btree_gin btree_gist fuzzystrmatch cube"
    " isn seg earthdistance tcn vector pg_stat_statements"
)
"""Well-known extensions none of whose functions runs a text, opens a connection or touches a file."""
